import type { Socket } from 'node:net'
import { encodeFrame, encodeMessage, type Frame, FrameReader, ZmtpError } from './zmtp-frames.js'

const GREETING_BYTES = 64
const MOST_FRAMES = 32
const MOST_MESSAGE_BYTES = 64 * 1024 * 1024
/** From connecting to the end of the handshake. */
const HANDSHAKE_MS = 5_000

export interface ZmtpOptions {
  /** What we are to the peer. */
  readonly socketType: 'SUB' | 'DEALER'
  /** The handshake is through. */
  readonly onReady: () => void
  readonly onMessage: (frames: readonly Buffer[]) => void
  /** Exactly once, whoever ended it. */
  readonly onEnd: () => void
}

/** One connection that speaks ZMTP 3.0 with the NULL mechanism (rfc.zeromq.org/spec/23); libzmq of the last ten years speaks it with us. */
export class ZmtpPeer {
  private readonly reader = new FrameReader()
  private stage: 'greeting' | 'ready' | 'open' = 'greeting'
  private frames: Buffer[] = []
  private messageBytes = 0
  private over = false

  constructor(
    private readonly socket: Socket,
    private readonly options: ZmtpOptions,
  ) {
    const late = setTimeout(() => this.stage !== 'open' && this.close(), HANDSHAKE_MS)
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.take(bytes))
    socket.on('error', () => this.close())
    socket.on('close', () => {
      clearTimeout(late)
      this.close()
    })
    this.write(greeting())
  }

  /** Only after `onReady`. */
  send(frames: readonly Uint8Array[]): void {
    this.write(encodeMessage(frames))
  }

  close(): void {
    if (this.over) return
    this.over = true
    this.socket.destroy()
    this.options.onEnd()
  }

  private write(bytes: Buffer): void {
    if (!this.over) this.socket.write(bytes)
  }

  private take(bytes: Buffer): void {
    if (this.over) return
    this.reader.push(bytes)
    try {
      if (this.stage === 'greeting' && !this.greeted()) return
      for (let frame = this.reader.next(); frame !== undefined && !this.over; frame = this.reader.next()) this.frame(frame)
    } catch (error) {
      if (!(error instanceof ZmtpError)) throw error
      this.close()
    }
  }

  private greeted(): boolean {
    const theirs = this.reader.take(GREETING_BYTES)
    if (theirs === undefined) return false
    if (theirs[0] !== 0xff || theirs[9] !== 0x7f || (theirs[10] ?? 0) < 3) throw new ZmtpError('no ZMTP 3')
    if (!theirs.toString('latin1', 12, 32).startsWith('NULL\0')) throw new ZmtpError('another security mechanism')
    this.stage = 'ready'
    const properties = [
      property('Socket-Type', this.options.socketType),
      ...(this.options.socketType === 'DEALER' ? [property('Identity', '')] : []),
    ]
    this.write(encodeFrame(Buffer.concat([name('READY'), ...properties]), { isCommand: true }))
    return true
  }

  private frame(frame: Frame): void {
    if (frame.isCommand) return this.command(frame.body)
    if (this.stage !== 'open') throw new ZmtpError('a message before the handshake')
    this.messageBytes += frame.body.byteLength
    if (this.frames.length >= MOST_FRAMES || this.messageBytes > MOST_MESSAGE_BYTES) throw new ZmtpError('a message that is too large')
    this.frames.push(frame.body)
    if (frame.more) return
    const { frames } = this
    this.frames = []
    this.messageBytes = 0
    this.options.onMessage(frames)
  }

  private command(body: Buffer): void {
    const length = body[0] ?? 0
    const command = body.toString('latin1', 1, 1 + length)
    if (command === 'ERROR') throw new ZmtpError('the peer refused')
    // A heartbeat: the answer carries its context, without the two bytes of its time to live.
    if (command === 'PING') this.write(encodeFrame(Buffer.concat([name('PONG'), body.subarray(1 + length + 2)]), { isCommand: true }))
    if (command !== 'READY' || this.stage !== 'ready') return
    this.stage = 'open'
    // All topics: a message that begins with 1, in the manner of 3.0.
    if (this.options.socketType === 'SUB') this.write(encodeFrame(Buffer.from([1])))
    this.options.onReady()
  }
}

/** Version 3.0: subscriptions are then messages, and the peer does the same. */
export function greeting(): Buffer {
  const bytes = Buffer.alloc(GREETING_BYTES)
  bytes[0] = 0xff
  bytes[9] = 0x7f
  bytes[10] = 3
  bytes.write('NULL', 12, 'latin1')
  return bytes
}

function name(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')])
}

export function property(key: string, value: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(value.length)
  return Buffer.concat([name(key), length, Buffer.from(value, 'latin1')])
}
