import { connect, createServer, type Server, type Socket } from 'node:net'
import { encode } from '@msgpack/msgpack'
import { encodeFrame, encodeMessage, FrameReader } from './zmtp-frames.js'
import { greeting, property } from './zmtp-peer.js'

/**
 * The other side, as vLLM's publisher makes it: a PUB socket that connects, and a ROUTER that replays. Its bytes were compared with libzmq's once
 * (docs/decisions/2026-11-21-zmtp-of-our-own.md).
 */
export class ScriptedPublisher {
  /** What a replay gives: by number. */
  kept = new Map<bigint, Buffer>()
  /** Numbers that replays were asked from. */
  readonly askedFrom: bigint[] = []
  /** Since 2026-07 a replayed batch carries its topic. */
  replaysTopic = false
  /** The replay socket takes the question and says nothing. */
  isMute = false
  replayPort = 0
  private router: Server | undefined
  private readonly sockets = new Set<Socket>()
  private pub: Socket | undefined
  private seq = 0n

  async openReplay(): Promise<void> {
    this.router = createServer((socket) => this.serveReplay(socket))
    await new Promise<void>((resolve) => this.router?.listen(0, '127.0.0.1', resolve))
    this.replayPort = (this.router.address() as { port: number }).port
  }

  /** Connects and is subscribed to. */
  async connect(port: number): Promise<void> {
    const socket = await connected(port)
    this.pub = socket
    this.sockets.add(socket)
    await handshake(socket, 'PUB', (frame) => frame.body.equals(Buffer.from([1])))
  }

  disconnect(): void {
    this.pub?.destroy()
    this.pub = undefined
  }

  /** A new life: numbers begin at 0, nothing is kept. */
  restart(): void {
    this.seq = 0n
    this.kept = new Map()
  }

  publish(
    events: readonly unknown[],
    options: { readonly lose?: boolean; readonly payload?: Buffer; readonly asMap?: boolean } = {},
  ): void {
    const batch = options.asMap === true ? { ts: 1.5, events, data_parallel_rank: 0 } : [1.5, events, 0]
    const payload = options.payload ?? Buffer.from(encode(batch, { useBigInt64: true }))
    const { seq } = this
    this.seq += 1n
    this.kept.set(seq, payload)
    if (options.lose !== true) this.pub?.write(encodeMessage([Buffer.alloc(0), eightBytes(seq), payload]))
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy()
    this.router?.close()
  }

  private serveReplay(socket: Socket): void {
    this.sockets.add(socket)
    socket.on('error', () => undefined)
    const frames: Buffer[] = []
    void handshake(socket, 'ROUTER', (frame) => {
      frames.push(frame.body)
      return !frame.more
    }).then(() => this.answer(socket, frames.at(-1)?.readBigInt64BE() ?? 0n))
  }

  private answer(socket: Socket, from: bigint): void {
    this.askedFrom.push(from)
    if (this.isMute) return
    const topic = this.replaysTopic ? [Buffer.alloc(0)] : []
    for (const [seq, payload] of this.kept) {
      if (seq >= from) socket.write(encodeMessage([Buffer.alloc(0), ...topic, eightBytes(seq), payload]))
    }
    socket.write(encodeMessage([Buffer.alloc(0), ...topic, eightBytes(-1n), Buffer.alloc(0)]))
  }
}

/** Resolves when the peer has sent the message that `isLast` recognises. */
function handshake(
  socket: Socket,
  type: string,
  isLast: (frame: { readonly body: Buffer; readonly more: boolean }) => boolean,
): Promise<void> {
  const reader = new FrameReader()
  let greeted = false
  socket.write(greeting())
  return new Promise((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      reader.push(bytes)
      if (!greeted) {
        if (reader.take(64) === undefined) return
        greeted = true
        const ready = Buffer.concat([Buffer.from('\x05READY', 'latin1'), property('Socket-Type', type)])
        socket.write(encodeFrame(ready, { isCommand: true }))
      }
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) if (!frame.isCommand && isLast(frame)) resolve()
    })
  })
}

/** As libzmq does it, every 100 ms until somebody listens. */
async function connected(port: number): Promise<Socket> {
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port })
    const isUp = await new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)))
    socket.on('error', () => undefined)
    if (isUp) return socket
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function eightBytes(seq: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(seq)
  return bytes
}
