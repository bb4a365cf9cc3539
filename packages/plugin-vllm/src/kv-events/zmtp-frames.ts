/** A ZMTP peer broke the rules; its connection is of no more use. */
export class ZmtpError extends Error {}

export interface Frame {
  readonly isCommand: boolean
  /** More frames of the same message follow. */
  readonly more: boolean
  readonly body: Buffer
}

const MORE = 1
const LONG = 2
const COMMAND = 4
/** A batch of events holds token ids of some thousand blocks: far under this. */
const MOST_FRAME_BYTES = 64 * 1024 * 1024

/** Cuts a byte stream into frames (ZMTP 3.0, RFC 23). */
export class FrameReader {
  private parts: Buffer[] = []
  private size = 0

  push(bytes: Buffer): void {
    this.parts.push(bytes)
    this.size += bytes.byteLength
  }

  /** The next `count` bytes, for the greeting; undefined while they have not come. */
  take(count: number): Buffer | undefined {
    if (this.size < count) return undefined
    const all = this.joined()
    this.keep(all.subarray(count))
    return all.subarray(0, count)
  }

  /** The next frame; undefined while it has not come whole. Throws ZmtpError. */
  next(): Frame | undefined {
    const head = this.peek()
    if (head === undefined) return undefined
    const frame = this.take(head.headBytes + head.bodyBytes)
    if (frame === undefined) return undefined
    return { isCommand: (head.flags & COMMAND) !== 0, more: (head.flags & MORE) !== 0, body: frame.subarray(head.headBytes) }
  }

  private peek(): { readonly flags: number; readonly headBytes: number; readonly bodyBytes: number } | undefined {
    if (this.size < 2) return undefined
    const flags = this.head(1)[0] ?? 0
    if ((flags & ~(MORE | LONG | COMMAND)) !== 0) throw new ZmtpError('a frame with unknown flags')
    const headBytes = (flags & LONG) === 0 ? 2 : 9
    if (this.size < headBytes) return undefined
    const head = this.head(headBytes)
    const bodyBytes = headBytes === 2 ? BigInt(head[1] ?? 0) : head.readBigUInt64BE(1)
    if (bodyBytes > MOST_FRAME_BYTES) throw new ZmtpError(`a frame of ${bodyBytes} bytes`)
    return { flags, headBytes, bodyBytes: Number(bodyBytes) }
  }

  /** At least `count` bytes in one piece: a large frame arrives in many, which are joined once, when it is whole. */
  private head(count: number): Buffer {
    const [first] = this.parts
    return first !== undefined && first.byteLength >= count ? first : this.joined()
  }

  private joined(): Buffer {
    const all = this.parts.length === 1 ? (this.parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.parts)
    this.parts = [all]
    return all
  }

  private keep(rest: Buffer): void {
    this.parts = rest.byteLength === 0 ? [] : [rest]
    this.size = rest.byteLength
  }
}

/** One frame as bytes. */
export function encodeFrame(body: Uint8Array, options: { readonly more?: boolean; readonly isCommand?: boolean } = {}): Buffer {
  const flags = (options.more === true ? MORE : 0) | (options.isCommand === true ? COMMAND : 0)
  if (body.byteLength < 256) return Buffer.concat([Buffer.from([flags, body.byteLength]), body])
  const head = Buffer.alloc(9)
  head[0] = flags | LONG
  head.writeBigUInt64BE(BigInt(body.byteLength), 1)
  return Buffer.concat([head, body])
}

/** A message of several frames. */
export function encodeMessage(frames: readonly Uint8Array[]): Buffer {
  return Buffer.concat(frames.map((frame, index) => encodeFrame(frame, { more: index < frames.length - 1 })))
}
