import { ChunkedDecoder, ChunkError } from './chunked-decoder.js'
import { nextFrame } from './chunk-frames.js'
import { parseResponseHead, type BodyFraming, type ResponseHead } from './response-head.js'
import { UpstreamError } from './upstream-error.js'

/** What becomes of one whole chunk frame: sent on as it is, left out, or decoded into `onBody`. */
export type FrameVerdict = 'pass' | 'drop' | 'decode'

export interface ResponseEvents {
  onHead(head: ResponseHead): void
  /** A view into the given bytes: valid during the call only. */
  onBody(bytes: Buffer): void
  /** True while whole chunk frames may be offered to `onFrame`. */
  readonly takesFrames: boolean
  /** Judges one whole frame by its payload, [start, end) of `bytes`. */
  onFrame(bytes: Buffer, start: number, end: number): FrameVerdict
  /** Whole frames that were judged `pass`, as they came; with `last` the closing frame is among them, and the answer is whole. */
  onFrames(frames: Buffer, last: boolean): void
  /** The message is whole. */
  onEnd(): void
}

const MAX_HEAD_BYTES = 65_536
const HEAD_END = Buffer.from('\r\n\r\n')

type State = 'head' | 'length' | 'until-close' | 'chunked' | 'done'

/** Reads one response from any cut of its bytes. Strict: what RFC 9112 does not allow throws an UpstreamError of kind `framing`. */
export class ResponseParser {
  private state: State = 'head'
  private carry: Buffer | undefined
  private left = 0
  private keeps = false
  private began = false
  private decoder: ChunkedDecoder | undefined

  constructor(private readonly events: ResponseEvents) {}

  /** True once a byte of the response was seen. */
  get started(): boolean {
    return this.began
  }

  get done(): boolean {
    return this.state === 'done'
  }

  /** Whether the connection may carry another exchange; meaningful once done. */
  get reusable(): boolean {
    return this.state === 'done' && this.keeps
  }

  push(bytes: Buffer): void {
    this.began = true
    let at = 0
    let input = bytes
    if (this.state === 'head') {
      input = this.carry === undefined ? bytes : Buffer.concat([this.carry, bytes])
      this.carry = undefined
      at = this.readHeads(input)
    }
    if (at < input.byteLength) at = this.readBody(input, at)
    if (at < input.byteLength) throw framing('bytes after the end of the answer')
  }

  /** The peer has closed. True when that ends the message properly. */
  closed(): boolean {
    if (this.state !== 'until-close') return this.state === 'done'
    this.finish()
    return true
  }

  /** Reads heads up to the real one; other 1xx answers only announce it. */
  private readHeads(bytes: Buffer): number {
    let at = 0
    for (;;) {
      const end = bytes.indexOf(HEAD_END, at)
      if ((end === -1 ? bytes.byteLength : end) - at > MAX_HEAD_BYTES) throw framing('its head is over 64 KiB')
      if (end === -1) {
        // A copy: the caller's buffer is shared by all sockets.
        this.carry = Buffer.from(bytes.subarray(at))
        return bytes.byteLength
      }
      const parsed = parseResponseHead(bytes.toString('latin1', at, end))
      at = end + HEAD_END.byteLength
      if (parsed.head.status === 101) throw framing('101 Switching Protocols was not asked for')
      if (parsed.head.status < 200) continue
      this.keeps = parsed.keepAlive && parsed.framing.kind !== 'until-close'
      this.begin(parsed.framing)
      this.events.onHead(parsed.head)
      if (this.done) this.events.onEnd()
      return at
    }
  }

  private begin(framing: BodyFraming): void {
    if (framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0)) return void (this.state = 'done')
    if (framing.kind === 'length') this.left = framing.bytes
    if (framing.kind === 'chunked') this.decoder = new ChunkedDecoder(this.events, 'drop')
    this.state = framing.kind
  }

  private readBody(bytes: Buffer, at: number): number {
    if (this.state === 'chunked' && this.decoder !== undefined) return this.readChunked(this.decoder, bytes, at)
    if (this.state === 'until-close') {
      this.events.onBody(bytes.subarray(at))
      return bytes.byteLength
    }
    if (this.state !== 'length') return at
    const taken = Math.min(this.left, bytes.byteLength - at)
    this.left -= taken
    this.events.onBody(bytes.subarray(at, at + taken))
    if (this.left === 0) this.finish()
    return at + taken
  }

  private readChunked(decoder: ChunkedDecoder, bytes: Buffer, start: number): number {
    let at = start
    while (at < bytes.byteLength && this.state !== 'done') {
      const whole = decoder.atFrameStart && this.events.takesFrames ? this.readFrames(bytes, at) : at
      at = whole === at ? this.decodeFrame(decoder, bytes, at) : whole
    }
    return at
  }

  /** Decodes one frame, or what there is of it: the first of a read is a rest most of the time, and those behind it are whole. */
  private decodeFrame(decoder: ChunkedDecoder, bytes: Buffer, start: number): number {
    let at = start
    try {
      at = decoder.pushFrame(bytes, start, bytes.byteLength)
    } catch (error) {
      throw error instanceof ChunkError ? framing(error.message) : error
    }
    if (decoder.done) this.finish()
    return at
  }

  /** Walks over whole frames and passes runs of them on as they are. Stops at the first one that is not whole or must be decoded. */
  private readFrames(bytes: Buffer, start: number): number {
    let runStart = start
    let at = start
    let last = false
    for (let frame = nextFrame(bytes, at); frame !== undefined && !last; frame = nextFrame(bytes, at)) {
      last = frame.dataEnd === frame.dataStart
      const verdict = last ? 'pass' : this.events.onFrame(bytes, frame.dataStart, frame.dataEnd)
      if (verdict === 'decode') break
      if (verdict === 'drop') {
        if (at > runStart) this.events.onFrames(bytes.subarray(runStart, at), false)
        runStart = frame.end
      }
      at = frame.end
    }
    if (last) this.state = 'done'
    if (at > runStart) this.events.onFrames(bytes.subarray(runStart, at), last)
    if (last) this.events.onEnd()
    return at
  }

  private finish(): void {
    this.state = 'done'
    this.events.onEnd()
  }
}

function framing(why: string): UpstreamError {
  return new UpstreamError('framing', `the engine's answer is not HTTP/1.1: ${why}`)
}
