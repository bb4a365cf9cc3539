/** Row f of the promises in small: peers that drip, and peers that do not read. The real size is test/long/slow-clients.test.ts. */
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { doorNames, openDoors, type Doors } from './doors.js'
import { statusOf, talk } from './raw-client.js'
import { plain, RawOrigin, receipt } from './raw-origin.js'
import { latin1, post, written } from './request-case.js'

let origin: RawOrigin
let doors: Doors
const MIB = 1_048_576
/** Garbage of what has passed before the brakes held included; without brakes it would be 768 MiB. */
const MOST_RSS_MIB = 128

beforeAll(async () => {
  origin = await RawOrigin.start()
  doors = await openDoors(origin, '60s')
})

afterAll(async () => {
  await doors.close()
  origin.close()
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const good = '{"model":"m","user":"good"}'

/** Sends one piece a time; resolves when the peer has closed, with how long that took and what it said. */
function drip(port: number, pieces: readonly string[], everyMs: number): Promise<{ tookMs: number; text: string }> {
  return new Promise((resolve) => {
    const startedMs = performance.now()
    const socket = connect(port, '127.0.0.1')
    let text = ''
    let next = 0
    const timer = setInterval(() => {
      const piece = pieces[next++]
      if (piece !== undefined) socket.write(piece, 'latin1')
    }, everyMs)
    socket.setEncoding('latin1').on('data', (more: string) => (text += more))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(timer)
      resolve({ tookMs: performance.now() - startedMs, text })
    })
  })
}

describe.concurrent('peers that drip', () => {
  for (const door of doorNames) {
    it(`a head at a byte a second is cut at its deadline, others are served meanwhile: ${door} door`, async () => {
      const slow = Promise.all(Array.from({ length: 30 }, () => drip(doors.ports[door], post(good, ['X-Slow: yes']).split(''), 1_000)))
      for (let round = 0; round < 20; round += 1) {
        const said = await talk(doors.ports[door], [latin1(post(good))], { answers: 1, toClose: false, longestMs: 2_000 })
        expect(statusOf(said.responses[0])).toBe(200)
        await pause(50)
      }
      const ended = await slow
      const [least, most] = door === 'listen' ? [9_500, 12_500] : [2_500, 6_000]
      for (const { tookMs, text } of ended) {
        expect(tookMs).toBeGreaterThan(least)
        expect(tookMs).toBeLessThan(most)
        expect(text).toMatch(/^(?:HTTP\/1\.1 408 |$)/)
      }
    }, 30_000)
  }

  it('a connection without a byte is closed, too: listen door', async () => {
    const { tookMs } = await drip(doors.ports.listen, [], 1_000)
    expect(tookMs).toBeGreaterThan(9_500)
    expect(tookMs).toBeLessThan(12_500)
  }, 30_000)

  it('a body under 500 bytes a second is cut after a grace: listen door', async () => {
    const head = written({ lines: ['Content-Length: 100000'] })
    const { tookMs, text } = await drip(
      doors.ports.listen,
      [head, '{"model":"m","user":"', ...Array.from({ length: 400 }, () => 'x'.repeat(10))],
      100,
    )
    expect(tookMs).toBeGreaterThan(5_000)
    expect(tookMs).toBeLessThan(21_000)
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
  }, 30_000)

  it('a body over 500 bytes a second is waited for: listen door', async () => {
    const body = `{"model":"m","user":"${'y'.repeat(13_000)}"}`
    const pieces = body.match(/.{1,110}/g) ?? []
    const head = written({ lines: [`Content-Length: ${body.length}`, 'Connection: close'] })
    const { text } = await drip(doors.ports.listen, [head, ...pieces], 100)
    expect(text).toContain(receipt(latin1(body)).slice(1, -1))
  }, 30_000)
})

/** Pours a stream as fast as the balancer takes it; `poured` is what the kernel has taken. */
function pour(socket: Socket, totalBytes: number): { readonly poured: () => number; readonly gone: Promise<void> } {
  const event = Buffer.from(`data: {"choices":[{"index":0,"delta":{"content":"${'z'.repeat(4_000)}"}}]}\n\n`)
  const size = Buffer.from(`${event.byteLength.toString(16)}\r\n`)
  // The connection may have served others before.
  const before = socket.bytesWritten
  const chunk = Buffer.concat([size, event, Buffer.from('\r\n')])
  socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n')
  let sent = 0
  const more = (): void => {
    while (sent < totalBytes) {
      sent += chunk.byteLength
      if (!socket.write(chunk)) return void socket.once('drain', more)
    }
    socket.write(`${'data: [DONE]\n\n'.length.toString(16)}\r\ndata: [DONE]\n\n\r\n0\r\n\r\n`)
  }
  more()
  return {
    poured: () => socket.bytesWritten - socket.writableLength - before,
    gone: new Promise((resolve) => socket.once('close', () => resolve())),
  }
}

const question = post('{"model":"m","stream":true,"stream_options":{"include_usage":true},"user":"slow reader"}')

async function settled(value: () => number): Promise<number> {
  let before = -1
  for (let now = value(); now !== before; now = value()) {
    before = now
    await pause(400)
  }
  return before
}

describe('peers that do not read', () => {
  it.each(doorNames)('pause the engine; the balancer holds next to nothing of 12 streams of 64 MiB: %s door', async (door) => {
    const streams: ReturnType<typeof pour>[] = []
    origin.script = (_request, socket) => void streams.push(pour(socket, 64 * MIB))
    await doors.facts()
    const before = await doors.facts()
    const clients = Array.from({ length: 12 }, () => {
      const socket = connect(doors.ports[door], '127.0.0.1')
      socket.pause()
      socket.write(question)
      return socket
    })
    await settled(() => streams.reduce((sum, one) => sum + one.poured(), streams.length))
    const { peakRssBytes } = await doors.facts()
    const poured = streams.map((one) => one.poured())
    process.stdout.write(
      `\n12 clients that do not read, ${door} door: the engine could send ${(Math.max(...poured) / MIB).toFixed(1)} MiB at most, RSS +${((peakRssBytes - before.rssBytes) / MIB).toFixed(1)} MiB\n`,
    )
    expect(streams).toHaveLength(12)
    // What the kernel buffers, twice: loopback grows to some megabytes a socket.
    expect(Math.max(...poured)).toBeLessThan(24 * MIB)
    expect(peakRssBytes - before.rssBytes).toBeLessThan(MOST_RSS_MIB * MIB)
    const [first, ...others] = clients
    for (const socket of others) socket.destroy()
    const whole = await drained(first)
    expect(whole.text).toMatch(/data: \[DONE\]\n\n\r\n0\r\n\r\n$/)
    expect(whole.bytes).toBeGreaterThan(63 * MIB)
    first?.destroy()
    origin.script = (request, socket) => void socket.write(plain(receipt(request.body)))
    const said = await talk(doors.ports[door], [latin1(post(good))], { answers: 1, toClose: false, longestMs: 2_000 })
    expect(statusOf(said.responses[0])).toBe(200)
  })

  it.each(doorNames)('free the engine when they leave: %s door', async (door) => {
    const streams: ReturnType<typeof pour>[] = []
    origin.script = (_request, socket) => void streams.push(pour(socket, 64 * MIB))
    const socket = connect(doors.ports[door], '127.0.0.1')
    socket.pause()
    socket.write(question)
    await settled(() => streams.reduce((sum, one) => sum + one.poured(), streams.length))
    const leftAt = performance.now()
    socket.destroy()
    await streams[0]?.gone
    expect(performance.now() - leftAt).toBeLessThan(1_000)
    origin.calm()
  })
})

/** Reads on to the end mark of the stream. */
function drained(socket: Socket | undefined): Promise<{ bytes: number; text: string }> {
  return new Promise((resolve) => {
    let bytes = 0
    let text = ''
    socket?.on('data', (part: Buffer) => {
      bytes += part.byteLength
      text = `${text}${part.toString('latin1', Math.max(0, part.byteLength - 100))}`.slice(-100)
      if (text.endsWith('0\r\n\r\n')) resolve({ bytes, text })
    })
    socket?.on('close', () => resolve({ bytes, text }))
    socket?.resume()
  })
}
