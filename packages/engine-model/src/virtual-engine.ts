import { createEngineModel, type EngineModel, type EngineModelOptions, type ModelStats } from './engine-model.js'
import { runHashes } from './run-chain.js'

/** A stretch of a prompt: an equal id behind equal runs is equal text, as far as the shorter one goes. */
export interface VirtualRun {
  readonly id: number
  /** At least 1. */
  readonly tokens: number
}

/** One request as virtual time knows it: numbers only. */
export interface VirtualRequest {
  /** The caller's; unique among the requests that are in the engine. */
  readonly key: number
  /** The beginning of the prompt, in order; what is left of `promptTokens` behind them is private. */
  readonly promptRuns: readonly VirtualRun[]
  readonly promptTokens: number
  /** 0: ends with its prefill. */
  readonly outputTokens: number
  /** Later prompts that go on with a run of this id hit the answer. Without effect behind a private end. */
  readonly answerId?: number
}

/** Told by `advance`, in order of time. */
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
  /** The process dies and comes back empty, cache and all; returns the keys that were lost. */
  crash(nowMs: number): readonly number[]
  readonly stats: ModelStats
  /** Steps so far that gave every decoding request a token, and when the last of them ended; exact after `advance`. */
  readonly decodeSteps: number
  readonly lastDecodeMs: number
  /** Prompt tokens that such a request would find in the cache now. */
  cachedTokens(promptRuns: readonly VirtualRun[], promptTokens: number): number
}

/** The engine model in virtual time: deterministic, no clock, no I/O. */
export function createVirtualEngine(options: EngineModelOptions = {}): VirtualEngine {
  return new SteppedEngine(options)
}

class SteppedEngine implements VirtualEngine {
  nextMs = Infinity
  decodeSteps = 0
  lastDecodeMs = 0
  private model: EngineModel
  private slowness: number
  private readonly keys = new Set<number>()

  constructor(private readonly options: EngineModelOptions) {
    this.model = createEngineModel(options)
    this.slowness = options.slowness ?? 1
  }

  submit(request: VirtualRequest, nowMs: number): void {
    if (nowMs > this.nextMs) throw new RangeError(`advance to ${nowMs} ms first: the step under way ends at ${this.nextMs}`)
    const { key, promptTokens, outputTokens } = request
    this.model.submit({ id: String(key), promptTokens, outputTokens, blockHashes: runHashes(request, this.model.blockTokens) })
    this.keys.add(key)
    if (!this.model.stepping) this.startStep(nowMs)
  }

  cancel(key: number, _nowMs: number): boolean {
    this.keys.delete(key)
    return this.model.cancel(String(key))
  }

  advance(nowMs: number, events: VirtualEngineEvents): void {
    while (this.nextMs <= nowMs) {
      const atMs = this.nextMs
      const { tokens, finished } = this.model.finishStep()
      if (tokens.some(({ producedTokens }) => producedTokens > 1)) {
        this.decodeSteps++
        this.lastDecodeMs = atMs
      }
      for (const { id, producedTokens, cachedTokens } of tokens) if (producedTokens === 1) events.firstToken(Number(id), atMs, cachedTokens)
      for (const { id } of finished) {
        this.keys.delete(Number(id))
        events.finished(Number(id), atMs)
      }
      for (const { id } of this.startStep(atMs)) events.preempted?.(Number(id))
    }
  }

  setSlowness(slowness: number, _nowMs: number): void {
    this.slowness = slowness
    this.model.setSlowness(slowness)
  }

  crash(_nowMs: number): readonly number[] {
    const lost = [...this.keys]
    this.keys.clear()
    this.model = createEngineModel({ ...this.options, slowness: this.slowness })
    this.nextMs = Infinity
    return lost
  }

  get stats(): ModelStats {
    return this.model.stats
  }

  cachedTokens(promptRuns: readonly VirtualRun[], promptTokens: number): number {
    return this.model.cachedTokens(runHashes({ promptRuns, promptTokens, outputTokens: 0 }, this.model.blockTokens), promptTokens)
  }

  private startStep(nowMs: number): readonly { readonly id: string }[] {
    const durationMs = this.model.startStep()
    this.nextMs = durationMs === undefined ? Infinity : nowMs + durationMs
    return this.model.preempted
  }
}
