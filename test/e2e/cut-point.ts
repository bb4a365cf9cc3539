/** Where an answer is to break off. */
export interface Cut {
  /** Behind this many whole events of the stream. */
  readonly event: number
  /**
   * `between`: right there. `inside`: so many bytes into the next event. `character`: behind the first byte of the next character that has several.
   * `headless`: before the answer's head.
   */
  readonly at: 'between' | 'inside' | 'character' | 'headless'
  readonly bytes?: number
  /** A polite end, a reset, or silence for ever. */
  readonly how: 'end' | 'reset' | 'freeze'
}

const LINE_END = 0x0a
const FIRST_OF_SEVERAL = 0xc2

/** Finds a cut in the bytes of an answer as they pass. Chunk framing has CR LF: only an event ends with two LF. */
export class CutPoint {
  private events = 0
  private lastByte = 0
  private behind = 0

  constructor(private readonly cut: Cut) {}

  /** Bytes of this part up to the cut; undefined while it lies further on. */
  find(part: Uint8Array): number | undefined {
    if (this.cut.at === 'headless') return 0
    for (let at = 0; at < part.byteLength; at += 1) {
      const byte = part[at] ?? 0
      if (this.events >= this.cut.event && this.isHere(byte)) return this.cut.at === 'character' ? at + 1 : at
      if (byte === LINE_END && this.lastByte === LINE_END) this.events += 1
      this.lastByte = byte
    }
    // At the very end of a part: what is to follow may never come.
    return this.events >= this.cut.event && this.cut.at === 'between' ? part.byteLength : undefined
  }

  private isHere(byte: number): boolean {
    if (this.cut.at === 'between') return true
    if (this.cut.at === 'character') return byte >= FIRST_OF_SEVERAL
    this.behind += 1
    return this.behind > (this.cut.bytes ?? 1)
  }
}
