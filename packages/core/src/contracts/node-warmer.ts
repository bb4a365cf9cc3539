import type { RosterNode } from './roster.js'

/** What became of the prompts that a new node was to compute. Those that are neither were not sent, or not answered in time. */
export interface WarmUpCount {
  readonly computed: number
  readonly failed: number
  readonly total: number
}

export interface WarmUpOrder {
  readonly node: RosterNode
  /** At most so many prompts. */
  readonly prompts: number
  readonly withinMs: number
  /** The node needs it no more: it drains, failed, or has left. */
  readonly signal: AbortSignal
  readonly onProgress: (count: WarmUpCount) => void
}

/** A warm-up that has begun. */
export interface WarmUpRun {
  /** Prompts that it is of. */
  readonly total: number
  /** Resolves when it is over, however it went. */
  readonly over: Promise<WarmUpCount>
}

/** Has a node that is new compute the prompts that are asked most, before clients may ask it. */
export interface NodeWarmer {
  /** Undefined: there is nothing to compute, or somebody waits for the node. */
  warm(order: WarmUpOrder): WarmUpRun | undefined
}
