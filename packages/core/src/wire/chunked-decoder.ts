/** What stopped a chunked body from being read; the caller says whose fault it is. */
export class ChunkError extends Error {}

const CR = 13
const LF = 10
const MAX_SIZE_DIGITS = 12
const MAX_TRAILER_BYTES = 4_096

type State = 'size' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer-start' | 'trailer' | 'trailer-lf' | 'end-lf' | 'done'

/** Where decoded bytes go. */
export interface ChunkSink {
  /** A view into the given bytes: valid during the call only. */
  onBody(bytes: Buffer): void
}

/** Decodes chunked framing from any cut of its bytes, strictly: no extensions, no bare LF, no space, sizes of 1 to 12 hexadecimal digits (RFC 9112 section 7.1). */
export class ChunkedDecoder {
  private state: State = 'size'
  private left = 0
  private digits = 0
  private trailerBytes = 0

  constructor(
    private readonly sink: ChunkSink,
    private readonly trailers: 'drop' | 'refuse',
  ) {}

  get done(): boolean {
    return this.state === 'done'
  }

  /** True between two frames: the next byte is the first digit of a size. */
  get atFrameStart(): boolean {
    return this.state === 'size' && this.digits === 0
  }

  /** Reads from `at`; returns where it stopped: the end of the bytes, or the first byte behind the body. Throws ChunkError. */
  push(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && this.state !== 'done') at = this.pushFrame(bytes, at, end)
    return at
  }

  /** Reads on to the end of the frame that `start` stands in, or of the bytes; returns where it stopped. Throws ChunkError. */
  pushFrame(bytes: Buffer, start: number, end: number): number {
    let at = start
    do {
      if (this.state === 'data') at = this.data(bytes, at, end)
      else this.control(bytes[at++] ?? 0)
    } while (at < end && this.state !== 'done' && !this.atFrameStart)
    return at
  }

  private data(bytes: Buffer, at: number, end: number): number {
    const taken = Math.min(this.left, end - at)
    this.left -= taken
    if (this.left === 0) this.state = 'data-cr'
    this.sink.onBody(bytes.subarray(at, at + taken))
    return at + taken
  }

  private control(byte: number): void {
    switch (this.state) {
      case 'size':
        return this.size(byte)
      case 'size-lf':
        this.expect(byte, LF, this.left === 0 ? 'trailer-start' : 'data')
        this.digits = 0
        return
      case 'data-cr':
        return this.expect(byte, CR, 'data-lf')
      case 'data-lf':
        return this.expect(byte, LF, 'size')
      case 'trailer-start':
        if (byte === CR) return void (this.state = 'end-lf')
        if (this.trailers === 'refuse') throw new ChunkError('trailers are not taken')
        return this.trailer(byte)
      case 'trailer':
        return this.trailer(byte)
      case 'trailer-lf':
        return this.expect(byte, LF, 'trailer-start')
      default:
        this.expect(byte, LF, 'done')
    }
  }

  private size(byte: number): void {
    if (byte === CR && this.digits > 0) return void (this.state = 'size-lf')
    const digit = hexValue(byte)
    if (digit === -1) throw new ChunkError(byte === 0x3b ? 'chunk extensions are not taken' : 'a bad chunk size')
    this.digits += 1
    if (this.digits > MAX_SIZE_DIGITS) throw new ChunkError('a chunk size is too long')
    this.left = (this.digits === 1 ? 0 : this.left) * 16 + digit
  }

  private trailer(byte: number): void {
    this.trailerBytes += 1
    if (this.trailerBytes > MAX_TRAILER_BYTES) throw new ChunkError('the trailers are over 4 KiB')
    if (byte === LF || byte === 0) throw new ChunkError('a bad trailer line')
    this.state = byte === CR ? 'trailer-lf' : 'trailer'
  }

  private expect(byte: number, wanted: number, next: State): void {
    if (byte !== wanted) throw new ChunkError(this.state.startsWith('data') ? 'a chunk is longer than its size says' : 'a bare CR or LF')
    this.state = next
  }
}

/** Value of a hexadecimal digit, -1 for any other byte. */
export function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
