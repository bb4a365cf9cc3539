import type { ModelStats } from './model-stats.js'
import type { VirtualRun } from './run-chain.js'

/** One request as virtual time knows it: numbers only. */
export interface VirtualRequest {
  /** The caller's; unique among the requests that are in the engine. */
  readonly key: number
  /** The beginning of the prompt, in order; what is left of `promptTokens` behind them is private. */
  readonly promptRuns: readonly VirtualRun[]
  readonly promptTokens: number
  /** 0: ends with its prefill. */
  readonly outputTokens: number
  /** Later prompts that go on with a run of this id hit the answer, once it has ended. Without effect behind a private end. */
  readonly answerId?: number
}

/** Told by `advance`, in order of time. A listener may submit and cancel at that time. */
export interface VirtualEngineEvents {
  firstToken(key: number, atMs: number, cachedTokens: number): void
  finished(key: number, atMs: number): void
  /** Lost its blocks and waits again; its first token is not told twice. */
  preempted?(key: number): void
}

/** An engine in virtual time. The caller owns the clock: `nowMs` never goes back. */
export interface VirtualEngine {
  /** Advance no later than this; it may turn out that nothing is told. Infinity = idle. */
  readonly nextMs: number
  /** Throws RangeError for what could never fit, a key that is taken, or when something from before `nowMs` has not been told yet. */
  submit(request: VirtualRequest, nowMs: number): void
  /** Takes a request out at once; false when it is not there (any more). */
  cancel(key: number, nowMs: number): boolean
  /** Brings the engine to `nowMs` and tells what happened. */
  advance(nowMs: number, events: VirtualEngineEvents): void
  /** Changes f from the next step on. */
  setSlowness(slowness: number, nowMs: number): void
  /** The process dies and comes back empty, cache and counters too; returns the keys that were lost. */
  crash(nowMs: number): readonly number[]
  readonly stats: ModelStats
  /** Steps so far that gave every decoding request a token, and when the last of them ended; exact after `advance`. */
  readonly decodeSteps: number
  readonly lastDecodeMs: number
  /** Prompt tokens that such a request would find in the cache now. */
  cachedTokens(promptRuns: readonly VirtualRun[], promptTokens: number): number
}
