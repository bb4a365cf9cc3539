import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../base/index.js'
import { SocketCount } from './socket-count.js'
import { UpstreamEngine, type UpstreamCall } from './upstream-engine.js'
import type { UpstreamError } from './upstream-error.js'

let engine: UpstreamEngine
let sockets: SocketCount
let servers: Server[]

beforeEach(() => {
  // Full with one.
  sockets = new SocketCount({ room: { most: 1, mostWithEngines: Infinity } })
  engine = new UpstreamEngine({ clock: systemClock, sockets, idleSocketMs: 200 })
  servers = []
})

afterEach(async () => {
  engine.close()
  for (const server of servers) server.close()
  // However they ended, none counts any more.
  await expect.poll(() => sockets.isFull).toBe(false)
})

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    onSocket(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return (server.address() as AddressInfo).port
}

interface Asked {
  readonly call: UpstreamCall
  readonly result: Promise<{ status: number; body: string } | UpstreamError>
}

function ask(
  port: number,
  more: {
    headers?: Record<string, string>
    body?: Uint8Array
    firstByteMs?: number
    idleMs?: number
    tls?: boolean
    socketPath?: string
  } = {},
): Asked {
  let status = 0
  let body = ''
  const { promise, resolve } = Promise.withResolvers<{ status: number; body: string } | UpstreamError>()
  const call = engine.dispatch(
    {
      key: 'n#1',
      target: {
        host: '127.0.0.1',
        port,
        tls: more.tls === true,
        basePath: '',
        authority: 'engine',
        ...(more.socketPath === undefined ? {} : { socketPath: more.socketPath }),
      },
      request: { method: 'POST', path: '/x', headers: more.headers ?? {}, body: [Buffer.from(more.body ?? '{}')] },
      timeouts: { connectMs: 1_000, firstTokenMs: more.firstByteMs ?? 2_000, idleMs: more.idleMs ?? 2_000 },
    },
    {
      onHead: (head) => void (status = head.status),
      onBody: (bytes) => void (body += bytes.toString('latin1')),
      onReadEnd: () => undefined,
      takesFrames: false,
      onFrame: () => 'decode',
      onFrames: () => undefined,
      onEnd: () => resolve({ status, body }),
      onError: resolve,
    },
  )
  return { call, result: promise }
}

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe('the count of sockets', () => {
  it('has those that are in use and idle, and none that could not be opened', async () => {
    const port = await listen((socket) => void socket.on('data', () => socket.write(ok)))
    expect(await ask(port, { tls: true }).result).toMatchObject({ kind: 'connect' })
    expect(await ask(0, { socketPath: '/nobody/listens/here.sock' }).result).toMatchObject({ kind: 'connect' })
    await expect.poll(() => sockets.isFull).toBe(false)
    const { call, result } = ask(port)
    expect(sockets.isFull).toBe(true)
    await result
    expect([call.isSent, sockets.isFull]).toEqual([true, true])
    await expect.poll(() => sockets.isFull).toBe(false)
  })

  it('keeps what is left from engines', async () => {
    engine = new UpstreamEngine({ clock: systemClock, sockets: new SocketCount({ room: { most: 0, mostWithEngines: 1 } }) })
    const port = await listen((socket) => void socket.on('data', () => socket.end(ok)))
    const first = ask(port)
    expect(await ask(port).result).toMatchObject({ kind: 'unsent' })
    expect(await first.result).toEqual({ status: 200, body: 'ok' })
    await expect.poll(() => engine.openSockets).toBe(0)
    expect(await ask(port).result).toEqual({ status: 200, body: 'ok' })
  })
})

describe('the upstream engine', () => {
  it('uses the warmest connection again and lets idle ones age out', async () => {
    let connections = 0
    const port = await listen((socket) => {
      connections += 1
      socket.on('data', () => socket.write(ok))
    })
    for (let index = 0; index < 5; index += 1) expect(await ask(port).result).toEqual({ status: 200, body: 'ok' })
    expect(connections).toBe(1)
    expect(engine.openSockets).toBe(1)
    await expect.poll(() => engine.openSockets).toBe(0)
  })

  it.each([
    ['nobody listens', 'connect', undefined],
    ['it is silent', 'timeout', () => undefined],
    [
      'it falls silent in mid-answer',
      'timeout',
      (socket: Socket) => void socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')),
    ],
    [
      'it closes in mid-answer',
      'closed',
      (socket: Socket) => void socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')),
    ],
    ['it resets', 'reset', (socket: Socket) => void socket.on('data', () => socket.resetAndDestroy())],
    ['it speaks nonsense', 'framing', (socket: Socket) => void socket.on('data', () => socket.write('SSH-2.0\r\n\r\n'))],
  ])('says what broke when %s', async (_title, kind, script) => {
    const port = script === undefined ? 1 : await listen(script)
    expect(await ask(port, { firstByteMs: 150, idleMs: 150 }).result).toMatchObject({ kind })
    expect(engine.openSockets).toBe(0)
  })

  it('says that a connection broke where the request was on its way when its engine died, although it asked again', async () => {
    let asked = 0
    const port = await listen((socket) => {
      socket.on('data', () => {
        asked += 1
        if (asked === 1) return void socket.write(ok)
        servers[0]?.close()
        socket.destroy()
      })
    })
    expect(await ask(port).result).toEqual({ status: 200, body: 'ok' })
    expect(await ask(port).result).toMatchObject({ kind: 'reset', message: expect.stringContaining('ECONNREFUSED') })
    expect(asked).toBe(2)
  })

  it('closes the connection at once when a call is aborted, and says nothing more', async () => {
    let closed = 0
    let asked = 0
    const port = await listen((socket) => {
      socket.on('close', () => (closed += 1))
      socket.on('data', () => {
        asked += 1
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      })
    })
    const { call, result } = ask(port)
    let ended = false
    void result.then(() => (ended = true))
    await expect.poll(() => asked).toBe(1)
    call.abort()
    await expect.poll(() => closed).toBe(1)
    expect(ended).toBe(false)
    expect(engine.openSockets).toBe(0)
  })

  it('reads nothing while it is paused, and a pause after the end stops nobody', async () => {
    const port = await listen((socket) => void socket.on('data', () => socket.write(ok)))
    const first = ask(port)
    await first.result
    first.call.pause()
    expect(await ask(port).result).toEqual({ status: 200, body: 'ok' })
    const paused = ask(port)
    paused.call.pause()
    let ended = false
    void paused.result.then(() => (ended = true))
    await ask(port).result
    expect(ended).toBe(false)
    paused.call.resume()
    expect(await paused.result).toEqual({ status: 200, body: 'ok' })
  })

  it('sends a large body whole', async () => {
    let received = 0
    const port = await listen(
      (socket) =>
        void socket.on('data', (part: Buffer) => {
          received += part.byteLength
          if (received > 5_000_000) socket.write(ok)
        }),
    )
    expect(await ask(port, { body: Buffer.alloc(5_000_000, 'x') }).result).toEqual({ status: 200, body: 'ok' })
  })

  it('lets no header break out of its line', async () => {
    let head = ''
    const port = await listen(
      (socket) =>
        void socket.on('data', (part: Buffer) => {
          head += part.toString('latin1')
          socket.write(ok)
        }),
    )
    await ask(port, { headers: { 'x-good': 'yes', 'x-bad': 'a\r\nx-injected: 1', 'bad name': '1', 'x-nul': 'a\0' } }).result
    expect(head).toContain('x-good: yes')
    expect(head).not.toMatch(/injected|bad|nul/)
  })
})
