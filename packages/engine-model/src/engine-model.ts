import { checkSize, checkSlowness, settleOptions, type EngineModelOptions, type EngineSettings } from './engine-options.js'
import type { ModelStats } from './model-stats.js'
import { chainOfHashes, type BlockChain } from './run-chain.js'
import { Scheduler } from './scheduler.js'
import { Sequence, type DecodeSteps, type ModelRequest, type SequenceView } from './sequence.js'
import { stepMs } from './step-time.js'

/** What is true at the end of one step. A sequence in `tokens` with producedTokens 1 just had its first one. */
export interface StepOutcome {
  /** Each produced one token. */
  readonly tokens: readonly SequenceView[]
  /** Left the engine; those with an answer are in `tokens` too. */
  readonly finished: readonly SequenceView[]
  /** Lost their blocks when the step was planned and wait again, at the front. */
  readonly preempted: readonly SequenceView[]
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
  readonly stats: ModelStats
  readonly blockTokens: number
  /** Prompt and answer of one request together cannot be longer. */
  readonly kvTokens: number
}

/** A vLLM-v1-like engine without a clock: deterministic, no I/O. See `design/routing.md`. */
export function createEngineModel(options: EngineModelOptions = {}): EngineModel {
  return new SteppedModel(settleOptions(options))
}

class NamedSequence extends Sequence implements SequenceView {
  readonly id: string

  constructor(request: ModelRequest, chain: BlockChain, steps: DecodeSteps) {
    super(request, chain, steps)
    this.id = request.id
  }
}

class SteppedModel implements EngineModel {
  readonly blockTokens: number
  readonly kvTokens: number
  stepping = false
  private readonly scheduler: Scheduler<NamedSequence>
  private readonly sequences = new Map<string, NamedSequence>()
  private slowness: number

  constructor(private readonly settings: EngineSettings) {
    this.blockTokens = settings.blockTokens
    this.kvTokens = settings.kvTokens
    this.slowness = settings.slowness
    this.scheduler = new Scheduler(settings)
  }

  submit(request: ModelRequest): SequenceView {
    if (this.sequences.has(request.id)) throw new RangeError(`request ${request.id} is in the engine already`)
    checkSize(request, this.kvTokens)
    const sequence = new NamedSequence(request, chainOfHashes(request.blockHashes), this.scheduler.decodes.steps)
    this.sequences.set(sequence.id, sequence)
    this.scheduler.waiting.pushBack(sequence)
    return sequence
  }

  cancel(id: string): boolean {
    const sequence = this.sequences.get(id)
    if (sequence === undefined) return false
    this.sequences.delete(id)
    this.scheduler.cancel(sequence)
    return true
  }

  startStep(): number | undefined {
    if (this.stepping) throw new Error('a step is under way')
    if (this.sequences.size === 0) return undefined
    this.stepping = true
    return stepMs(this.settings, this.scheduler.plan(), this.slowness)
  }

  finishStep(): StepOutcome {
    if (!this.stepping) throw new Error('no step is under way')
    this.stepping = false
    const { preempted } = this.scheduler
    const tokens = this.scheduler.running.filter((sequence) => this.scheduler.isAboutToProduce(sequence))
    const { finished } = this.scheduler.finish()
    for (const { id } of finished) this.sequences.delete(id)
    return { tokens, finished, preempted }
  }

  setSlowness(slowness: number): void {
    this.slowness = checkSlowness(slowness)
  }

  get stats(): ModelStats {
    return this.scheduler.stats
  }
}
