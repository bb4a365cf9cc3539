const FIRST_BYTES = 1_024

/** The inside of one long JSON string, put together piece by piece, up to a limit. */
export class CollectedText {
  private memory = Buffer.allocUnsafeSlow(FIRST_BYTES)
  private used = 0

  constructor(private readonly maxBytes: number) {}

  get byteLength(): number {
    return this.used
  }

  bytes(): Buffer {
    return this.memory.subarray(0, this.used)
  }

  /** Takes [start, end) of `bytes`; false, and nothing taken, where that is more than may be held. */
  append(bytes: Buffer, start: number, end: number): boolean {
    const needed = this.used + end - start
    if (needed > this.maxBytes) return false
    if (needed > this.memory.byteLength) this.grow(needed)
    if (end - start > SHORT_BYTES) bytes.copy(this.memory, this.used, start, end)
    else for (let at = start; at < end; at += 1) this.memory[this.used + at - start] = bytes[at] ?? 0
    this.used = needed
    return true
  }

  private grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.maxBytes, Math.max(needed, this.memory.byteLength * 2)))
    this.memory.copy(larger, 0, 0, this.used)
    this.memory = larger
  }
}

/** Shorter ones are copied faster byte by byte than by a call out of JavaScript. */
const SHORT_BYTES = 48
