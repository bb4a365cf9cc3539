/** The bytes at hand end before the header does. */
export class NeedsMoreBytes extends Error {}

/** Not a header that llama.cpp could read either. */
export class BadGguf extends Error {}

/** What a text may hold at most: chat templates are long. */
const LONGEST_TEXT_BYTES = 16 * 1024 * 1024

/** Walks over the numbers and texts of a GGUF header, little-endian. */
export class GgufCursor {
  offset = 0

  constructor(private readonly bytes: Buffer) {}

  u32(): number {
    return this.bytes.readUInt32LE(this.step(4))
  }

  i32(): number {
    return this.bytes.readInt32LE(this.step(4))
  }

  u16(): number {
    return this.bytes.readUInt16LE(this.step(2))
  }

  u8(): number {
    return this.bytes.readUInt8(this.step(1))
  }

  /** Counts and offsets are far below what a double cannot hold; more is no file. */
  u64(): number {
    const low = this.u32()
    const value = low + this.u32() * 2 ** 32
    if (!Number.isSafeInteger(value)) throw new BadGguf('a count in its header cannot be')
    return value
  }

  text(): string {
    const length = this.u64()
    if (length > LONGEST_TEXT_BYTES) throw new BadGguf(`a text of ${length} bytes stands in its header`)
    const start = this.step(length)
    return this.bytes.toString('utf8', start, start + length)
  }

  skipText(): void {
    const length = this.u64()
    if (length > LONGEST_TEXT_BYTES) throw new BadGguf(`a text of ${length} bytes stands in its header`)
    this.step(length)
  }

  skip(bytes: number): void {
    this.step(bytes)
  }

  private step(length: number): number {
    const start = this.offset
    if (start + length > this.bytes.byteLength) throw new NeedsMoreBytes()
    this.offset = start + length
    return start
  }
}
