import { enginePresets, type EnginePreset, type PresetName } from './presets.js'
import { Scheduler } from './scheduler.js'
import { Sequence, type ModelRequest, type SequenceView } from './sequence.js'
import { stepMs, type StepWork } from './step-time.js'

/** A preset, any of its values replaced. */
export interface EngineModelOptions extends Partial<EnginePreset> {
  /** Default `8b-h100`. */
  readonly preset?: PresetName
  /** Tokens in one KV block; default 16. */
  readonly blockTokens?: number
  /** f: every step takes this many times longer; default 1. */
  readonly slowness?: number
}

/** What is true at the end of one step. A sequence in `tokens` with producedTokens 1 just had its first one. */
export interface StepOutcome {
  /** Each produced one token. */
  readonly tokens: readonly SequenceView[]
  /** Left the engine; those with an answer are in `tokens` too. */
  readonly finished: readonly SequenceView[]
  /** Lost their blocks when the step was planned and wait again, at the front. */
  readonly preempted: readonly SequenceView[]
}

export interface ModelStats {
  readonly running: number
  readonly waiting: number
  /** Held by running sequences; cached content that nobody holds counts as free, as in vLLM. */
  readonly usedBlocks: number
  readonly totalBlocks: number
  readonly preemptions: number
  /** Prompt tokens asked for in the prefix cache, and found. */
  readonly prefixQueryTokens: number
  readonly prefixHitTokens: number
}

/** Stepped by its driver: `startStep` says how long, the driver lets that time pass, `finishStep` says what came out. */
export interface EngineModel {
  /** Queues a request. Throws RangeError when it could never fit or its id is taken. */
  submit(request: ModelRequest): SequenceView
  /** Takes a request out at once, also in mid-step; false when it is not there (any more). */
  cancel(id: string): boolean
  /** Plans a step and returns its length in ms; undefined when there is nothing to do. Throws when a step is under way. */
  startStep(): number | undefined
  /** Ends the step under way. */
  finishStep(): StepOutcome
  /** Changes f from the next step on. */
  setSlowness(slowness: number): void
  readonly stepping: boolean
  /** Preempted when the step under way was planned. */
  readonly preempted: readonly SequenceView[]
  readonly stats: ModelStats
  /** Tokens of a prompt with these blocks that would be found in the cache now. */
  cachedTokens(blockHashes: readonly number[], promptTokens: number): number
  readonly blockTokens: number
  /** Prompt and answer of one request together cannot be longer. */
  readonly kvTokens: number
}

/** A vLLM-v1-like engine without a clock: deterministic, no I/O. See `design/routing.md`. */
export function createEngineModel(options: EngineModelOptions = {}): EngineModel {
  return new SteppedModel(options)
}

class SteppedModel implements EngineModel {
  readonly blockTokens: number
  readonly kvTokens: number
  stepping = false
  private readonly preset: EnginePreset
  private readonly totalBlocks: number
  private readonly scheduler: Scheduler
  private readonly sequences = new Map<string, Sequence>()
  preempted: readonly SequenceView[] = []
  private slowness: number

  constructor(options: EngineModelOptions) {
    this.preset = { ...enginePresets[options.preset ?? '8b-h100'], ...definedOnly(options) }
    this.blockTokens = options.blockTokens ?? 16
    this.slowness = options.slowness ?? 1
    this.totalBlocks = Math.floor(this.preset.kvTokens / this.blockTokens)
    this.kvTokens = this.totalBlocks * this.blockTokens
    const { maxNumBatchedTokens, maxNumSeqs } = this.preset
    for (const [name, value] of Object.entries({ maxNumBatchedTokens, maxNumSeqs, totalBlocks: this.totalBlocks }))
      if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number over 0, not ${value}`)
    this.scheduler = new Scheduler({ maxNumBatchedTokens, maxNumSeqs, blockTokens: this.blockTokens, totalBlocks: this.totalBlocks })
  }

  submit(request: ModelRequest): SequenceView {
    if (this.sequences.has(request.id)) throw new RangeError(`request ${request.id} is in the engine already`)
    if (request.promptTokens < 1) throw new RangeError('a prompt has at least 1 token')
    const tokens = request.promptTokens + request.outputTokens
    if (tokens > this.kvTokens) throw new RangeError(`${tokens} tokens do not fit into a KV cache of ${this.kvTokens}`)
    const sequence = new Sequence(request)
    this.sequences.set(sequence.id, sequence)
    this.scheduler.waiting.pushBack(sequence)
    return sequence
  }

  cancel(id: string): boolean {
    const sequence = this.sequences.get(id)
    if (sequence === undefined) return false
    this.sequences.delete(id)
    if (sequence.state === 'waiting') this.scheduler.waiting.discount()
    else this.scheduler.running.splice(this.scheduler.running.indexOf(sequence), 1)
    this.scheduler.releaseBlocks(sequence)
    sequence.state = 'cancelled'
    return true
  }

  cachedTokens(blockHashes: readonly number[], promptTokens: number): number {
    return this.scheduler.countCached(blockHashes, promptTokens) * this.blockTokens
  }

  startStep(): number | undefined {
    if (this.stepping) throw new Error('a step is under way')
    this.preempted = []
    if (this.sequences.size === 0) return undefined
    this.preempted = this.scheduler.fill()
    this.stepping = true
    return stepMs(this.preset, workOf(this.scheduler.running), this.slowness)
  }

  finishStep(): StepOutcome {
    if (!this.stepping) throw new Error('no step is under way')
    this.stepping = false
    const tokens: Sequence[] = []
    const finished: Sequence[] = []
    for (const sequence of this.scheduler.running) {
      if (!completesKnown(sequence)) continue
      if (sequence.outputTokens > 0) {
        sequence.producedTokens++
        tokens.push(sequence)
      }
      if (sequence.producedTokens === sequence.outputTokens) finished.push(sequence)
    }
    if (finished.length > 0) this.retire(finished)
    return { tokens, finished, preempted: this.preempted }
  }

  setSlowness(slowness: number): void {
    this.slowness = slowness
  }

  get stats(): ModelStats {
    return {
      running: this.scheduler.running.length,
      waiting: this.scheduler.waiting.size,
      usedBlocks: this.totalBlocks - this.scheduler.pool.free,
      totalBlocks: this.totalBlocks,
      ...this.scheduler.counters,
    }
  }

  private retire(finished: readonly Sequence[]): void {
    for (const sequence of finished) {
      sequence.state = 'finished'
      this.sequences.delete(sequence.id)
      this.scheduler.releaseBlocks(sequence)
    }
    const { running } = this.scheduler
    let kept = 0
    for (const sequence of running) if (sequence.state === 'running') running[kept++] = sequence
    running.length = kept
  }
}

/** Counts the chunk as computed; true when the step reached the last known token, which yields the next one. */
function completesKnown(sequence: Sequence): boolean {
  if (sequence.chunk === 0) return false
  sequence.computedTokens += sequence.chunk
  sequence.chunk = 0
  return sequence.computedTokens === sequence.knownTokens
}

function workOf(running: readonly Sequence[]): StepWork {
  const work = { prefillTokens: 0, decodeSequences: 0, decodeKvTokens: 0, attentionPairs: 0 }
  for (const { chunk, computedTokens, decoding } of running) {
    if (chunk === 0) continue
    if (decoding) {
      work.decodeSequences++
      work.decodeKvTokens += computedTokens
    } else {
      work.prefillTokens += chunk
      work.attentionPairs += chunk * (computedTokens + chunk / 2)
    }
  }
  return work
}

/** An explicit undefined must not wipe out the preset's value. */
function definedOnly(options: EngineModelOptions): Partial<EnginePreset> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
