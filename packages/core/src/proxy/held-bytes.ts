/** Nothing is ever pushed to it. */
const NONE: Buffer[] = []

/** Bytes that wait to be sent. They may be views into a read buffer until `keep` copies what is left of them. */
export class HeldBytes {
  byteLength = 0
  private parts = NONE
  private keptParts = 0

  add(bytes: Buffer): void {
    if (this.parts.length === 0) this.parts = [bytes]
    else this.parts.push(bytes)
    this.byteLength += bytes.byteLength
  }

  /** The read is over: what is still here must survive it. */
  keep(): void {
    for (; this.keptParts < this.parts.length; this.keptParts += 1)
      this.parts[this.keptParts] = Buffer.from(this.parts[this.keptParts] ?? [])
  }

  /** All of it in one piece, and nothing is held afterwards. Undefined where nothing was. */
  take(): Buffer | undefined {
    const { parts } = this
    if (parts.length === 0) return undefined
    this.parts = NONE
    this.keptParts = 0
    this.byteLength = 0
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }

  /** Text of the first bytes. */
  start(bytes: number): string {
    return Buffer.concat(this.parts).toString('utf8', 0, bytes)
  }
}
