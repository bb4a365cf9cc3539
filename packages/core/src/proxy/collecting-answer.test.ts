import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CollectedShape, Dialect } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { chunk, done, event, lastChunk, pieces, plainAnswer, Rig, streamHead, type Script } from './scripted-gateway.test.fixture.js'

const shape: CollectedShape = {
  fits: (body) => ![...body.names].includes('tools'),
  chunkObject: 'chunk',
  textAt: 'delta.content',
  template: '{"choices":[{"message":{"content":"<text>"},"finish_reason":<finish_reason>}],"usage":<usage>,"id":<id>}',
  contentType: 'application/json; charset=utf-8',
}
/** Of its own for each engine: what one is known to do says nothing about another. */
const collecting = (more: Partial<Dialect> = {}): { dialect: Dialect } => ({
  dialect: openaiDialect({ collect: { 'openai-chat': shape }, ...more }),
})

const head = streamHead.replace('\r\n\r\n', '\r\nx-accel-buffering: no\r\n\r\n')
const part = (delta: object, finish: string | null = null): string =>
  event({ choices: [{ finish_reason: finish, index: 0, delta }], id: 'i', object: 'chunk' })
const usage = 'data: {"choices":[],"id":"i","object":"chunk","usage":{"prompt_tokens":3,"completion_tokens":2,"x":1.50}}\n\n'
const events = [
  part({ role: 'assistant', content: null }),
  part({ content: 'Hel' }),
  part({ content: 'lo' }),
  part({}, 'stop'),
  usage,
  done,
]
const rebuilt =
  '{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"x":1.50},"id":"i"}'
const plain = plainAnswer(200, { said: 'plainly' })

const send = (socket: Socket, ...parts: readonly string[]): void => void socket.write(parts.join(''))
const streams: Script = (socket) => send(socket, head, ...events.map(chunk), lastChunk)
/** Streams what it was told to, and answers plainly when asked so. */
const oddly =
  (...odd: readonly string[]): Script =>
  (socket, request) =>
    request.includes('"stream":true') ? send(socket, head, ...odd.map(chunk), lastChunk) : send(socket, plain)

describe('a plain answer that is collected from a stream', () => {
  let rig: Rig

  beforeEach(() => {
    rig = new Rig('listen')
  })

  afterEach(() => rig.end())

  it('is the plain answer: body, length and type, without the headers of a stream', async () => {
    await rig.engine(streams, collecting())
    await rig.open()
    const answer = await rig.ask({ stream: false })
    expect(await answer.text()).toBe(rebuilt)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(rebuilt.length),
      'x-lb-node': 'p/n0',
    })
    expect(answer.headers.has('x-accel-buffering')).toBe(false)
    await expect.poll(() => rig.records).toHaveLength(1)
    expect(rig.records[0]).toMatchObject({
      stream: false,
      completionTokens: 2,
      promptTokens: 3,
      tokensMeasured: true,
      outcome: 'ok',
      ttftMs: null,
    })
    expect(rig.records[0]?.attempts).toEqual([expect.objectContaining({ outcome: 'answered', collected: true })])
  })

  it('asks the engine for a stream with usage, and for everything else as the client did', async () => {
    await rig.engine(streams, { ...collecting(), model: 'there' })
    await rig.open()
    await (await rig.ask({ stream: false, temperature: 0.1 })).text()
    const body = JSON.parse(rig.requests[0]?.[0]?.split('\r\n\r\n')[1] ?? '') as object
    expect(body).toEqual({ model: 'there', messages: [], stream: true, stream_options: { include_usage: true }, temperature: 0.1 })
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is the same however the stream is cut (%i)', async (seed) => {
    const bytes = head + [...events.map(chunk), lastChunk].join('')
    await rig.engine((socket) => {
      for (const piece of pieces(bytes, seed)) socket.write(piece, 'latin1')
    }, collecting())
    await rig.open()
    expect(await (await rig.ask({})).text()).toBe(rebuilt)
  })

  it('is long where the stream is', async () => {
    const long = 'x'.repeat(30_000)
    await rig.engine(
      (socket) => send(socket, head, ...[...Array.from({ length: 10 }, () => part({ content: long })), ...events].map(chunk), lastChunk),
      collecting(),
    )
    await rig.open()
    const { choices } = (await (await rig.ask({})).json()) as { choices: [{ message: { content: string } }] }
    expect(choices[0].message.content).toBe(`${long.repeat(10)}Hello`)
  })

  it('is not collected where the body asks for more than is known, nor where the client wants the stream', async () => {
    await rig.engine(oddly(...events), collecting())
    await rig.open()
    expect(await (await rig.ask({ tools: [] })).text()).toContain('plainly')
    expect(await (await rig.ask({ stream: true })).text()).toContain('data: [DONE]')
    await expect.poll(() => rig.records).toHaveLength(2)
    expect(rig.records.flatMap(({ attempts }) => attempts.map(({ collected }) => collected))).toEqual([undefined, undefined])
  })

  it('is asked for plainly when the stream brings what is not known, and from then on at once', async () => {
    await rig.engine(oddly(part({ reasoning_content: 'hm' }), ...events), collecting())
    await rig.open()
    for (const _ of [1, 2]) {
      const answer = await rig.ask({})
      expect(await answer.text()).toContain('plainly')
      expect(answer.headers.get('x-lb-attempts')).toBe('1')
    }
    expect(rig.requests[0]?.map((request) => request.includes('"stream":true'))).toEqual([true, false, false])
  })

  it('is asked for plainly where it would be empty, and the next one is collected', async () => {
    await rig.engine(oddly(part({ role: 'assistant', content: null }), part({}, 'stop'), usage, done), collecting())
    await rig.open()
    for (const _ of [1, 2]) expect(await (await rig.ask({})).text()).toContain('plainly')
    expect(rig.requests[0]?.map((request) => request.includes('"stream":true'))).toEqual([true, false, true, false])
  })

  it("passes the engine's refusal of the stream on as it came", async () => {
    await rig.engine((socket) => send(socket, plainAnswer(400, { error: { code: 400, message: 'too long' } })), collecting())
    await rig.open()
    const answer = await rig.ask({})
    expect([answer.status, await answer.json()]).toEqual([400, { error: { code: 400, message: 'too long' } }])
  })

  it("gives an error in mid-stream the status of the engine's plain one", async () => {
    const error = '{"error":{"code":500,"message":"no such format","type":"server_error"}}'
    await rig.engine((socket) => send(socket, head, chunk(events[1] ?? ''), chunk(`data: ${error}\n\n`), lastChunk), collecting())
    await rig.open()
    const answer = await rig.ask({})
    expect([answer.status, await answer.text(), answer.headers.get('content-type')]).toEqual([
      500,
      error,
      'application/json; charset=utf-8',
    ])
  })

  it('moves to another node where the dialect calls the error of a stream worth it', async () => {
    const busy = event({ error: { code: 503, message: 'busy', type: 'unavailable_error' } })
    await rig.engine((socket) => send(socket, head, chunk(busy), lastChunk), collecting())
    await rig.engine(streams, collecting())
    await rig.open()
    const answer = await rig.ask({})
    expect([await answer.text(), answer.headers.get('x-lb-node')]).toEqual([rebuilt, 'p/n1'])
  })

  it('moves to another node when the stream is cut, however much of it was there', async () => {
    await rig.engine((socket) => send(socket, head, ...events.slice(0, -1).map(chunk), lastChunk), collecting())
    await rig.engine((socket) => {
      socket.write(head + events.slice(0, 3).map(chunk).join(''))
      socket.destroySoon()
    }, collecting())
    await rig.engine(streams, collecting())
    await rig.open()
    const answer = await rig.ask({})
    expect([await answer.text(), answer.headers.get('x-lb-node')]).toEqual([rebuilt, 'p/n2'])
    await expect.poll(() => rig.records[0]?.attempts.map(({ outcome }) => outcome)).toEqual(['reset', 'reset', 'answered'])
  })

  it('passes a plain answer on where the engine gives one although it was asked for a stream', async () => {
    await rig.engine((socket) => send(socket, plain), collecting())
    await rig.open()
    expect(await (await rig.ask({})).text()).toContain('plainly')
  })

  it('fails with the reason when the memory for bodies is full', async () => {
    const long = part({ content: 'x'.repeat(60_000) })
    await rig.engine((socket) => send(socket, head, ...Array.from({ length: 20 }, () => chunk(long))), collecting())
    await rig.open()
    const answer = await rig.ask({})
    expect(answer.status).toBe(502)
    expect(await answer.text()).toContain('gateway.maxBodies')
  })

  it('is cut off upstream as soon as its client leaves', async () => {
    let closed = false
    await rig.engine((socket) => {
      socket.on('close', () => (closed = true))
      socket.write(head + chunk(events[1] ?? ''))
    }, collecting())
    await rig.open()
    const leaving = new AbortController()
    const asked = rig.ask({}, {}, leaving.signal).catch(() => undefined)
    await expect.poll(() => rig.requests[0]?.length).toBe(1)
    await expect.poll(() => rig.firstTokens).toBe(1)
    leaving.abort()
    await asked
    await expect.poll(() => [closed, rig.records[0]?.outcome, rig.records[0]?.attempts[0]?.late]).toEqual([true, 'client-gone', undefined])
  })

  it.each([
    ['that was sent as it came', { tools: [] }],
    ['whose stream has not begun', {}],
    ['that wants the stream itself, before it has begun', { stream: true }],
  ])('counts a late release for a request %s', async (_, body) => {
    await rig.engine(() => undefined, collecting())
    await rig.open()
    const leaving = new AbortController()
    const asked = rig.ask(body, {}, leaving.signal).catch(() => undefined)
    await expect.poll(() => rig.requests[0]?.length).toBe(1)
    leaving.abort()
    await asked
    await expect.poll(() => rig.records[0]?.attempts[0]).toMatchObject({ outcome: 'cancelled', late: true })
  })

  it('counts no late release where the engine has no such trait', async () => {
    await rig.engine(() => undefined)
    await rig.open()
    const leaving = new AbortController()
    const asked = rig.ask({}, {}, leaving.signal).catch(() => undefined)
    await expect.poll(() => rig.requests[0]?.length).toBe(1)
    leaving.abort()
    await asked
    await expect.poll(() => rig.records[0]?.attempts[0]?.outcome).toBe('cancelled')
    expect(rig.records[0]?.attempts[0]?.late).toBeUndefined()
  })
})
