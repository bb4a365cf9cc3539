import { parseResponseHead, type BodyFraming, type ResponseHead } from './response-head.js'
import { UpstreamError } from './upstream-error.js'

export interface ResponseEvents {
  onHead(head: ResponseHead): void
  /** A view into the given bytes: valid during the call only. */
  onBody(bytes: Buffer): void
  /** The message is whole. */
  onEnd(): void
}

const MAX_HEAD_BYTES = 65_536
const MAX_LINE_BYTES = 4_096
const HEAD_END = Buffer.from('\r\n\r\n')
const CHUNK_SIZE = /^([0-9a-fA-F]{1,12})$/

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'done'

/** Reads one response from any cut of its bytes. Strict: what RFC 9112 does not allow throws an UpstreamError of kind `framing`. */
export class ResponseParser {
  private state: State = 'head'
  private carry: Buffer | undefined
  private left = 0
  private keeps = false
  private began = false

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
    let rest = bytes
    while (rest.byteLength > 0) {
      if (this.state === 'done') throw framing('bytes after the end of the answer')
      rest = this.step(rest)
    }
  }

  /** The peer has closed. True when that ends the message properly. */
  closed(): boolean {
    if (this.state !== 'until-close') return this.state === 'done'
    this.finish()
    return true
  }

  private step(bytes: Buffer): Buffer {
    switch (this.state) {
      case 'head':
        return this.readHead(bytes)
      case 'length':
      case 'chunk-data':
        return this.readCounted(bytes)
      case 'chunk-size':
      case 'chunk-end':
      case 'trailers':
        return this.readLine(bytes)
      default:
        this.events.onBody(bytes)
        return bytes.subarray(bytes.byteLength)
    }
  }

  private readHead(bytes: Buffer): Buffer {
    const all = this.joined(bytes)
    const end = all.indexOf(HEAD_END)
    if ((end === -1 ? all.byteLength : end) > MAX_HEAD_BYTES) throw framing('its head is over 64 KiB')
    if (end === -1) return this.keep(all)
    const parsed = parseResponseHead(all.toString('latin1', 0, end))
    const rest = all.subarray(end + HEAD_END.byteLength)
    if (parsed.head.status === 101) throw framing('101 Switching Protocols was not asked for')
    // Other 1xx answers announce the real one; it follows on the same connection.
    if (parsed.head.status < 200) return rest
    this.keeps = parsed.keepAlive && parsed.framing.kind !== 'until-close'
    this.events.onHead(parsed.head)
    this.begin(parsed.framing)
    return rest
  }

  private begin(framing: BodyFraming): void {
    if (framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0)) return this.finish()
    if (framing.kind === 'length') this.left = framing.bytes
    this.state = framing.kind === 'chunked' ? 'chunk-size' : framing.kind
  }

  private readCounted(bytes: Buffer): Buffer {
    const taken = Math.min(this.left, bytes.byteLength)
    this.left -= taken
    this.events.onBody(bytes.subarray(0, taken))
    if (this.left === 0) {
      if (this.state === 'length') this.finish()
      else this.state = 'chunk-end'
    }
    return bytes.subarray(taken)
  }

  private readLine(bytes: Buffer): Buffer {
    const all = this.joined(bytes)
    const end = all.indexOf(10)
    if ((end === -1 ? all.byteLength : end) > MAX_LINE_BYTES) throw framing('a chunk line is over 4 KiB')
    if (end === -1) return this.keep(all)
    if (end === 0 || all[end - 1] !== 13) throw framing('a bare line feed')
    this.useLine(all.toString('latin1', 0, end - 1))
    return all.subarray(end + 1)
  }

  private useLine(line: string): void {
    if (this.state === 'chunk-end') {
      if (line !== '') throw framing('a chunk is longer than its size says')
      this.state = 'chunk-size'
    } else if (this.state === 'trailers') {
      // Trailers are dropped: nothing that we forward needs them.
      if (line === '') this.finish()
    } else {
      const match = CHUNK_SIZE.exec(line)
      if (match === null) throw framing(`bad chunk size ${JSON.stringify(line.slice(0, 40))}`)
      this.left = Number.parseInt(match[1] ?? '', 16)
      this.state = this.left === 0 ? 'trailers' : 'chunk-data'
    }
  }

  private finish(): void {
    this.state = 'done'
    this.events.onEnd()
  }

  private joined(bytes: Buffer): Buffer {
    const all = this.carry === undefined ? bytes : Buffer.concat([this.carry, bytes])
    this.carry = undefined
    return all
  }

  private keep(bytes: Buffer): Buffer {
    // A copy: the caller's buffer is shared by all sockets.
    this.carry = Buffer.from(bytes)
    return bytes.subarray(bytes.byteLength)
  }
}

function framing(why: string): UpstreamError {
  return new UpstreamError('framing', `the engine's answer is not HTTP/1.1: ${why}`)
}
