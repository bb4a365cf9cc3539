import type { ResidencyPlan } from '../topology/index.js'

/** What the engines of a pool are doing with their memory. */
export type Phase = 'awake' | 'waking' | 'going-to-rest' | 'resting'

/** One pool that shares accelerators, at one moment. Times are monotonic. */
export interface PoolView {
  readonly name: string
  readonly plan: ResidencyPlan
  readonly phase: Phase
  /** Of the phase. */
  readonly sinceMs: number
  /** Requests that wait for it. */
  readonly waiting: number
  /** When the first of those came that wait now, or when it last had to leave with some in line: its turn was had. */
  readonly firstWaiterMs: number
  readonly inFlight: number
  /** The last moment at which it had work. */
  readonly lastWorkMs: number
  /** Something else changes it right now: it stays as it is. */
  readonly isPinned: boolean
  /** A person wants it to rest. */
  readonly shallRest: boolean
  /** Its engines failed, and nobody starts them again: only another wake does. */
  readonly isGivenUp: boolean
  /** It was woken in vain: not again before this. */
  readonly notBeforeMs: number
}

export interface ResidencyQuestion {
  /** In declared order. */
  readonly pools: readonly PoolView[]
  readonly nowMs: number
  /** Whether all these may be awake at once. */
  readonly fits: (names: readonly string[]) => boolean
}

/** Why a pool is put to rest. */
export type RestReason = { readonly why: 'asked' | 'idle' | 'failed' } | { readonly why: 'turn'; readonly of: string }

export interface ResidencyMoves {
  readonly wake: readonly string[]
  readonly rest: readonly { readonly pool: string; readonly reason: RestReason }[]
  /** Pools whose turn has come, for which others are put to rest. */
  readonly makingRoom: readonly string[]
  /** Who waits for whom: until then those stay, whatever others want. */
  readonly queued: ReadonlyMap<string, { readonly behind: readonly string[]; readonly dueMs: number }>
  /** When time alone changes the answer. */
  readonly lookAgainMs: number
}
