import type { MemoryNeed, MemoryRoom } from '../contracts/index.js'
import type { GpuWish } from '../topology/index.js'

/** A node that wants accelerators. */
export interface GpuSeeker {
  readonly id: string
  readonly replica: number
  readonly wish: GpuWish
  /** What its engine expects to take, or what the topology says instead. */
  readonly need?: MemoryNeed
  /** Keys of what it holds already: it keeps them. */
  readonly held?: readonly string[]
}

/** Why a node gets no accelerator. */
export interface Refusal {
  readonly message: string
  /** What would fit. */
  readonly hint: string
  /** Its engine may know better ways than the hint. */
  readonly isGuess?: true
  /** The memory that there is, where it is memory that is missing. */
  readonly room?: MemoryRoom
}
