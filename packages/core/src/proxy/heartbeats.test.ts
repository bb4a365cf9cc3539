import type { Socket } from 'node:net'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RawClient } from '../wire/door.test.fixture.js'
import { rawAsk, readRaw } from './raw-ask.test.fixture.js'
import { chunk, delta, done, doorNames, lastChunk, plainAnswer, Rig, role, streamHead } from './scripted-gateway.test.fixture.js'

const comment = ': lb waits with you\n\n'
const without = (text: string): string => text.replaceAll(comment, '')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const longestBeatMs = 160

describe.each(doorNames)('heartbeats through the %s door', (door) => {
  let rig: Rig

  beforeEach(() => {
    rig = new Rig(door)
    rig.heartbeatMs = 40
  })

  afterEach(() => rig.end())

  /** An engine that says nothing until it is told to go on. */
  async function silent(): Promise<{ asked: () => number; goOn: (script: (socket: Socket) => void) => void }> {
    const sockets: Socket[] = []
    await rig.engine((socket) => void sockets.push(socket))
    return { asked: () => sockets.length, goOn: (script) => sockets.splice(0).forEach((socket) => script(socket)) }
  }

  /** A client that has got comments, and nothing else. */
  async function waiting(count = 1): Promise<RawClient> {
    const client = rawAsk(rig, {})
    await client.wait(() => client.text.split(comment).length > count)
    return client
  }

  /** Events in pieces, with more silence than a heartbeat waits for between them. */
  async function drip(socket: Socket): Promise<void> {
    socket.write(streamHead + chunk(delta('a')))
    for (const text of [delta('in'), delta('zwei'), delta('drei')]) {
      const framed = chunk(text)
      socket.write(framed.slice(0, 20))
      await pause(longestBeatMs)
      socket.write(framed.slice(20))
      await pause(longestBeatMs)
    }
    socket.write(chunk(delta('half of two').slice(0, 30)))
    await pause(longestBeatMs)
    socket.write(chunk(delta('half of two').slice(30)) + chunk(done) + lastChunk)
  }

  const answer = (socket: Socket): void => void socket.write(streamHead + chunk(role + delta('here')) + chunk(done) + lastChunk)

  it('keep a client company until the first content, which follows them', async () => {
    const engine = await silent()
    await rig.open()
    const client = await waiting(3)
    expect(client.text).toMatch(/^HTTP\/1\.1 200 /)
    expect(client.text).toMatch(/content-type: text\/event-stream/i)
    engine.goOn(answer)
    await client.end()
    const { body } = readRaw(client.text)
    expect(body).toMatch(new RegExp(`^(?:${comment}){3,}data: `))
    expect(without(body)).toBe(role + delta('here') + done)
    await expect.poll(() => rig.records[0]).toMatchObject({ outcome: 'ok', attempts: [{ outcome: 'answered' }] })
  })

  it('stand between events, never inside one, however the engine pauses', async () => {
    await rig.engine((socket) => void drip(socket))
    await rig.open()
    const client = rawAsk(rig, {})
    await client.end()
    const { body } = readRaw(client.text)
    expect(without(body)).toBe(['a', 'in', 'zwei', 'drei', 'half of two'].map((text) => delta(text)).join('') + done)
    for (const part of body.split('\n\n')) expect(part).toMatch(/^(?:data: .*|: lb waits with you|)$/)
  })

  it('leave a request free to move: another node answers after them', async () => {
    const engine = await silent()
    await rig.engine(answer)
    await rig.open()
    const client = await waiting()
    engine.goOn((socket) => socket.destroy())
    await client.end()
    expect(without(readRaw(client.text).body)).toBe(role + delta('here') + done)
    await expect
      .poll(() => rig.records[0])
      .toMatchObject({ outcome: 'ok', attempts: [{ node: 'p/n0' }, { node: 'p/n1', outcome: 'answered' }] })
  })

  it('go on between attempts', async () => {
    const first = await silent()
    const second = await silent()
    await rig.open()
    const client = await waiting()
    first.goOn((socket) => void socket.write(plainAnswer(503, { error: { message: 'loading' } })))
    await expect.poll(second.asked).toBe(1)
    const before = client.text.length
    await client.wait(() => client.text.slice(before).includes(comment))
    second.goOn(answer)
    await client.end()
    expect(without(readRaw(client.text).body)).toBe(role + delta('here') + done)
  })

  it.each([
    ['all nodes fail', (socket: Socket) => void socket.destroy(), 'LB_UPSTREAM_FAILED', ''],
    [
      'the last node refuses',
      (socket: Socket) => void socket.write(plainAnswer(503, { error: { message: 'loading' } })),
      'LB_NO_STREAM',
      'loading',
    ],
    [
      'the request was wrong',
      (socket: Socket) => void socket.write(plainAnswer(400, { error: { message: 'too long' } })),
      'LB_NO_STREAM',
      'too long',
    ],
    ['a plain answer comes', (socket: Socket) => void socket.write(plainAnswer(200, { choices: [] })), 'LB_NO_STREAM', '200'],
    [
      'a long plain answer comes',
      (socket: Socket) => void socket.write(plainAnswer(200, { x: 'y'.repeat(90_000) })),
      'LB_NO_STREAM',
      '200',
    ],
    [
      'the stream has no content and no end',
      (socket: Socket) => void socket.write(streamHead + chunk(role), () => socket.destroy()),
      'LB_UPSTREAM_FAILED',
      '',
    ],
  ])('make a failure an error event, without an end mark: %s', async (_title, script, code, says) => {
    const engine = await silent()
    await rig.open()
    const client = await waiting()
    engine.goOn(script)
    await client.end()
    const body = without(readRaw(client.text).body)
    expect(body).toMatch(/^data: [^\n]+\n\n$/)
    const { error } = JSON.parse(body.slice(6)) as { error: { code: string; message: string } }
    expect(error.code).toBe(code)
    expect(error.message).toContain(says)
  })

  it('are not for plain requests, nor for refusals that come before the first one', async () => {
    const engine = await silent()
    await rig.open()
    const client = rawAsk(rig, { stream: false })
    await expect.poll(engine.asked).toBe(1)
    await pause(longestBeatMs)
    expect(client.text).toBe('')
    engine.goOn((socket) => void socket.write(plainAnswer(200, { choices: [] })))
    await client.end()
    expect(readRaw(client.text).body).toBe('{"choices":[]}')
    const unknown = rawAsk(rig, { model: 'unknown' })
    await unknown.end()
    expect(unknown.text).toMatch(/^HTTP\/1\.1 404 .*LB_UNKNOWN_MODEL/s)
  })

  it('end with the answer, also on a connection that stays open', async () => {
    await rig.engine(answer)
    await rig.open()
    const client = rawAsk(rig, {}, { keepAlive: true })
    await client.until(/0\r\n\r\n$/)
    const { text } = client
    await pause(longestBeatMs)
    expect(client.text).toBe(text)
    expect(without(readRaw(text).body)).toBe(role + delta('here') + done)
    client.socket.destroy()
  })

  it('end when the client leaves', async () => {
    const engine = await silent()
    await rig.open()
    const client = await waiting()
    client.socket.destroy()
    await expect.poll(() => rig.records[0]?.outcome).toBe('client-gone')
    engine.goOn((socket) => socket.destroy())
  })

  it('can be switched off', async () => {
    rig.heartbeatMs = 0
    const engine = await silent()
    await rig.open()
    const client = rawAsk(rig, {})
    await expect.poll(engine.asked).toBe(1)
    await pause(longestBeatMs)
    expect(client.text).toBe('')
    engine.goOn(answer)
    await client.end()
  })

  it('are nothing to the official client', async () => {
    const engine = await silent()
    await rig.open()
    const openai = new OpenAI({ baseURL: rig.url.replace('/chat/completions', ''), apiKey: 'k', maxRetries: 0 })
    const asked = openai.chat.completions.create({ model: 'm', messages: [], stream: true })
    await expect.poll(engine.asked).toBe(1)
    const stream = await asked
    engine.goOn(answer)
    let text = ''
    for await (const part of stream) text += part.choices[0]?.delta.content ?? ''
    expect(text).toBe('here')
  })
})
