/** When a pool takes a node out by what its requests say. */
export interface EjectSettings {
  /** Failures in a row; 0: they are not counted so. */
  readonly after: number
  /** Share of failures within the window, 0 to 1; 0: it is not counted so. */
  readonly share: number
  readonly windowMs: number
  /** Share of the pool's nodes that may be out at one moment, 0 to 1. */
  readonly most: number
  /** Of the first ejection; each further one takes twice as long. */
  readonly firstMs: number
  readonly longestMs: number
  /** How many times slower than it used to be; 0: slowness is not judged. */
  readonly slower: number
}

export interface JudgeSettings {
  /** Undefined: nobody is taken out. */
  readonly eject?: EjectSettings | undefined
  /** Until a node that has failed has all of its traffic again; 0: at once. */
  readonly slowStartMs: number
}

/** Why a node is taken out. */
export type EjectionKind = 'failures' | 'slow' | 'hung'
