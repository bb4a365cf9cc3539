import { bodyTooLarge } from './body-errors.js'
import { giveBodyMemory, takeBodyMemory } from './body-memory.js'

/** Sees each piece of a body as it arrives; the bytes are valid during the call only. May throw: the body is then refused with that error. */
export type BodyWatch = (bytes: Uint8Array) => void

const FIRST_BYTES = 16_384
/** Declared lengths up to this are reserved at once; larger bodies grow as they come, so that a promise alone holds no memory. */
const RESERVED_BYTES = 1_048_576

/** Puts a body together in one piece of memory. */
export class BodyCollector {
  private memory: Buffer
  private used = 0

  constructor(
    private readonly limitBytes: number,
    private readonly declaredBytes: number | undefined,
    private readonly watch: BodyWatch | undefined,
  ) {
    if (declaredBytes !== undefined && declaredBytes > limitBytes) throw bodyTooLarge(limitBytes)
    this.memory = takeBodyMemory(Math.min(declaredBytes ?? FIRST_BYTES, RESERVED_BYTES))
  }

  get bytes(): number {
    return this.used
  }

  /** Throws LB_BODY_TOO_LARGE, or what the watch throws. */
  onBody(bytes: Buffer): void {
    const needed = this.used + bytes.byteLength
    if (needed > this.limitBytes) throw bodyTooLarge(this.limitBytes)
    if (needed > this.memory.byteLength) this.grow(needed)
    this.memory.set(bytes, this.used)
    this.used = needed
    this.watch?.(bytes)
  }

  whole(): Buffer {
    return this.used === this.memory.byteLength ? this.memory : this.memory.subarray(0, this.used)
  }

  private grow(needed: number): void {
    const wanted = Math.max(needed, this.memory.byteLength * 2)
    const larger = takeBodyMemory(Math.max(needed, Math.min(wanted, this.declaredBytes ?? this.limitBytes)))
    this.memory.copy(larger, 0, 0, this.used)
    giveBodyMemory(this.memory)
    this.memory = larger
  }
}
