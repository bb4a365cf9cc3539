import { isUtf8 } from 'node:buffer'

/** Whether bytes that arrive in pieces are UTF-8: whole characters are judged at once, one that a cut divides when its rest is there. */
export class Utf8Pieces {
  private ok = true
  /** The first bytes of a character that a cut divides; made when there is one. */
  private cut: Buffer | undefined
  private cutBytes = 0

  push(bytes: Uint8Array): void {
    if (!this.ok) return
    const from = this.mend(bytes)
    if (from === bytes.byteLength) return
    const whole = wholeBytes(bytes)
    this.ok &&= isUtf8(from === 0 && whole === bytes.byteLength ? bytes : bytes.subarray(from, whole))
    for (let at = whole; at < bytes.byteLength; at += 1) this.keep(bytes[at] ?? 0)
  }

  /** Takes the rest of a character that was cut; returns where what follows begins. */
  private mend(bytes: Uint8Array): number {
    let from = 0
    while (this.cutBytes > 0 && from < bytes.byteLength) {
      const cut = this.keep(bytes[from] ?? 0)
      from += 1
      if (this.cutBytes < lengthOf(cut[0] ?? 0)) continue
      this.ok = isUtf8(cut.subarray(0, this.cutBytes))
      this.cutBytes = 0
    }
    return from
  }

  private keep(byte: number): Buffer {
    const cut = (this.cut ??= Buffer.alloc(4))
    cut[this.cutBytes] = byte
    this.cutBytes += 1
    return cut
  }

  /** The verdict over everything; half a character at the end is wrong. */
  finish(): boolean {
    return this.ok && this.cutBytes === 0
  }
}

/** Where the last character begins if its bytes are not all there; else the length. */
function wholeBytes(bytes: Uint8Array): number {
  const length = bytes.byteLength
  for (let back = 1; back <= 3 && back <= length; back += 1) {
    const byte = bytes[length - back] ?? 0
    if (byte < 0x80) return length
    if (byte >= 0xc0) return lengthOf(byte) > back ? length - back : length
  }
  return length
}

/** Bytes of the character that this one opens. */
function lengthOf(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1
}
