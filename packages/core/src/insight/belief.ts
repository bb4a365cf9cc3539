import type { Clock } from '../base/index.js'
import type { BeliefView, LeaseBook, LoadFacts, NodeRows } from '../contracts/index.js'
import type { LeaseRowsOptions } from './lease-rows.js'
import type { Gap } from './speed-book.js'

export interface BeliefOptions extends LeaseRowsOptions {
  readonly clock: Clock
  /** Monotonic time of the first thread minus that of this one. */
  readonly aheadMs?: number
  /** Called when there is something that the other threads should hear within 5 ms; absent where there are none. */
  readonly onNews?: () => void
  /** A gap between tokens was measured, in any thread; for the first one. */
  readonly onGap?: (index: number, gap: Gap) => void
  /** A strategy failed over news of its requests; absent: nobody hears of it. */
  readonly onFault?: (error: unknown) => void
  /** Most blocks that the mirror holds of all nodes together. */
  readonly mostBlocks?: number
}

/** What the mirror holds of one node, and how far it is to be trusted. */
export interface MirrorReading {
  readonly blocks: number
  readonly tokens: number
  readonly capacityTokens: number
  /** Share of the tokens believed cached that the engine found. */
  readonly trust: number
}

/** All that one thread believes, and its share of what all threads count. */
export interface Belief extends BeliefView, LeaseBook, NodeRows {
  readonly buffer: SharedArrayBuffer
  /** Counts out whatever a dead thread had counted in, and forgets what it had promised. For the first thread. */
  clearThread(dead: number): void
  /** Forgets what a dead thread had promised. For all others. */
  forgetThread(dead: number): void
  learnLoad(index: number, facts: LoadFacts): void
  /** The node is gone, or another process is behind it: its cache is empty, and what was learned of it was about another. */
  forget(index: number): void
  /** The node says that its cache was cleared. */
  clearCache(index: number): void
  /** The node is known to hold this much. */
  learnCapacity(index: number, tokens: number): void
  /** What the other threads have to hear, once `onNews` was called. */
  takeNews(): Float64Array
  /** What a new thread has to hear. */
  snapshot(): Float64Array
  /** What another thread has to tell. */
  hear(news: Float64Array, thread: number): void
  mirrorOf(index: number): MirrorReading
  /** Memory of this thread's mirror. */
  readonly mirrorBytes: number
}
