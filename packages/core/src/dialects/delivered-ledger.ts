/** Longer answers cannot be continued elsewhere: design/data-path.md, streams. */
const MAX_LEDGER_BYTES = 262_144
const FIRST_BYTES = 512

/** What a client was given of a stream's text so far: the content's bytes as they stand in the events' JSON strings, escapes and all. */
export class DeliveredLedger {
  private memory = Buffer.allocUnsafeSlow(FIRST_BYTES)
  private used = 0
  private full = false

  /** False once more was delivered than is kept: the stream can only end honestly then. */
  get complete(): boolean {
    return !this.full
  }

  get byteLength(): number {
    return this.used
  }

  /** The delivered text; undefined when it is not complete, or when an engine wrote what is no JSON. */
  text(): string | undefined {
    if (this.full) return undefined
    try {
      return JSON.parse(`"${this.memory.toString('utf8', 0, this.used)}"`) as string
    } catch {
      return undefined
    }
  }

  /** Notes the inside of a JSON string, [start, end) of `bytes`. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.used + end - start
    if (this.full || (needed > this.memory.byteLength && !this.grow(needed))) return
    for (let at = start; at < end; at += 1) this.memory[this.used + at - start] = bytes[at] ?? 0
    this.used = needed
  }

  appendText(text: string): void {
    const bytes = Buffer.from(JSON.stringify(text))
    this.append(bytes, 1, bytes.byteLength - 1)
  }

  private grow(needed: number): boolean {
    this.full = needed > MAX_LEDGER_BYTES
    const larger = Buffer.allocUnsafeSlow(this.full ? 0 : Math.min(MAX_LEDGER_BYTES, Math.max(needed, this.memory.byteLength * 2)))
    if (!this.full) this.memory.copy(larger, 0, 0, this.used)
    this.memory = larger
    return !this.full
  }
}
