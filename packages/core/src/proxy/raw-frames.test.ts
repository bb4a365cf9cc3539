import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RawClient } from '../wire/door.test.fixture.js'
import { rawAsk, readRaw } from './raw-ask.test.fixture.js'
import { chunk, delta, done, lastChunk, Rig, role, streamHead, usage } from './scripted-gateway.test.fixture.js'

let rig: Rig
let engine: Promise<Socket>

beforeEach(async () => {
  rig = new Rig('listen')
  const { promise, resolve } = Promise.withResolvers<Socket>()
  engine = promise
  await rig.engine((socket) => {
    socket.write(streamHead + chunk(role) + chunk(delta('first')))
    resolve(socket)
  })
  await rig.open()
})

afterEach(() => rig.end())

/** A client that has seen the first content: from here on frames may pass. */
async function begun(body: object = {}): Promise<{ client: RawClient; socket: Socket; seen: number }> {
  const client = rawAsk(rig, body)
  await client.until(/first.*\n\n\r\n$/s)
  return { client, socket: await engine, seen: client.text.length }
}

/** An unusual way to write a frame, so that it is recognised. */
const odd = (text: string): string => `000${Buffer.byteLength(text).toString(16).toUpperCase()}\r\n${text}\r\n`

describe('whole frames', () => {
  it('pass byte for byte, the last one with them', async () => {
    const { client, socket, seen } = await begun()
    const frames = `${Array.from({ length: 200 }, (_, index) => odd(delta(`event ${index} ${'x'.repeat(index)}`))).join('')}${odd(done)}000\r\n\r\n`
    socket.write(frames)
    await client.end()
    expect(client.text.slice(seen)).toBe(frames)
  })

  it('pass one by one', async () => {
    const { client, socket, seen } = await begun()
    let frames = ''
    for (let index = 0; index < 20; index += 1) {
      const frame = odd(delta(`event ${index}`))
      frames += frame
      socket.write(frame)
      await client.wait(() => client.text.length >= seen + frames.length)
    }
    socket.write(odd(done) + lastChunk)
    await client.end()
    expect(client.text.slice(seen)).toBe(frames + odd(done) + lastChunk)
  })

  it('around a usage event that nobody asked for pass without it', async () => {
    const { client, socket, seen } = await begun()
    socket.write(odd(delta('a')) + odd(usage) + odd(delta('b')) + odd(usage) + odd(done) + odd(usage) + lastChunk)
    await client.end()
    expect(client.text.slice(seen)).toBe(odd(delta('a')) + odd(delta('b')) + odd(done) + lastChunk)
    await expect.poll(() => rig.records[0]).toMatchObject({ outcome: 'ok', promptTokens: 3, completionTokens: 2, tokensMeasured: true })
  })

  it('with the usage event that the client asked for pass with it', async () => {
    const { client, socket, seen } = await begun({ stream_options: { include_usage: true } })
    socket.write(odd(usage) + odd(done) + lastChunk)
    await client.end()
    expect(client.text.slice(seen)).toBe(odd(usage) + odd(done) + lastChunk)
  })

  it('that are no whole events are framed anew, and pass again afterwards', async () => {
    const { client, socket, seen } = await begun()
    const first = delta('ü🚢')
    const cut = Buffer.from(first)
    // Inside the character, so that each chunk alone is no text.
    const at = cut.indexOf('🚢') + 2
    const half = (part: Buffer): Buffer => Buffer.concat([Buffer.from(`0${part.byteLength.toString(16)}\r\n`), part, Buffer.from('\r\n')])
    socket.write(Buffer.concat([half(cut.subarray(0, at)), half(cut.subarray(at))]))
    await client.wait(() => client.text.length > seen)
    expect(Buffer.from(client.text.slice(seen), 'latin1').toString()).toBe(chunk(first))
    const again = client.text.length
    socket.write(odd(delta('whole')) + odd(done) + lastChunk)
    await client.end()
    expect(client.text.slice(again)).toBe(odd(delta('whole')) + odd(done) + lastChunk)
  })

  it('of which several events are in one are framed anew', async () => {
    const { client, socket } = await begun()
    socket.write(odd(delta('a') + usage + delta('b')) + odd(done) + lastChunk)
    await client.end()
    expect(readRaw(client.text).body).toBe(role + delta('first') + delta('a') + delta('b') + done)
  })

  it('that end without the end mark end in an error event, in good framing', async () => {
    for (const closing of ['0\r\n\r\n', '000\r\n\r\n']) {
      await rig.close()
      const { promise, resolve } = Promise.withResolvers<Socket>()
      engine = promise
      rig = new Rig('listen')
      await rig.engine((socket) => {
        socket.write(streamHead + chunk(role) + chunk(delta('first')))
        resolve(socket)
      })
      await rig.open()
      const { client, socket } = await begun()
      socket.write(odd(delta('last')) + closing)
      await client.end()
      const { body } = readRaw(client.text)
      expect(body).toMatch(/"code":"LB_STREAM_CUT"[^\n]*\n\n$/)
      expect(body.startsWith(role + delta('first') + delta('last'))).toBe(true)
    }
  })

  it('of a client that does not read stop the engine', async () => {
    const { client, socket } = await begun()
    client.socket.pause()
    let sent = 0
    const frame = odd(delta('y'.repeat(50_000)))
    const pump = (): void => {
      while (sent < 200_000_000 && socket.write(frame)) sent += frame.length
      sent += frame.length
    }
    socket.on('drain', pump)
    pump()
    let before = -1
    await expect.poll(() => before === (before = sent), { interval: 200, timeout: 10_000 }).toBe(true)
    expect(sent).toBeLessThan(60_000_000)
    socket.off('drain', pump)
    client.socket.resume()
    socket.write(odd(done) + lastChunk)
    await client.end()
    expect(readRaw(client.text).body.endsWith(delta('y'.repeat(50_000)) + done)).toBe(true)
  })
})
