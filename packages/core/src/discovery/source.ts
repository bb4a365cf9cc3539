import type { Clock, RandomSource } from '../base/index.js'
import type { AttachSource } from '../topology/index.js'

/** One server as its source names it, not yet looked at. */
export interface FoundServer {
  readonly url: string
  readonly name?: string
  readonly weight?: number
  readonly model?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly rank?: number
}

/** What a source says now: all of it. */
export interface Truth {
  readonly servers: readonly FoundServer[]
  /** What people should know of it: entries that were left out, and why. */
  readonly notes: readonly string[]
}

/** Where a watched source reports. Nothing is reported after `stop`. */
export interface SourceEvents {
  truth(truth: Truth): void
  /** It was asked, and what it said last still holds. */
  unchanged(): void
  /** It cannot be asked, or what it says cannot be used; what it said last stays. */
  problem(why: string): void
}

export interface SourceWatch {
  stop(): void
}

export interface SourceContext {
  readonly clock: Clock
  readonly random: RandomSource
  readonly env: NodeJS.ProcessEnv
}

/** Watches one source until stopped; asks for the first time at once. */
export type WatchSource<Source extends AttachSource> = (source: Source, context: SourceContext, events: SourceEvents) => SourceWatch
