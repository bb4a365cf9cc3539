import { checkSize, checkSlowness, settleOptions, type EngineModelOptions, type EngineSettings } from './engine-options.js'
import type { ModelStats } from './model-stats.js'
import { chainOfRuns, type BlockChain, type VirtualRun } from './run-chain.js'
import { Scheduler } from './scheduler.js'
import { Sequence, type DecodeSteps } from './sequence.js'
import { stepMs } from './step-time.js'
import { Stretch } from './stretch.js'
import type { VirtualEngine, VirtualEngineEvents, VirtualRequest } from './virtual-contract.js'

/** The engine model in virtual time: deterministic, no clock, no I/O. Steps that hold the same decodes and nothing else are taken in one. */
export function createVirtualEngine(options: EngineModelOptions = {}): VirtualEngine {
  return new LeapingEngine(settleOptions(options))
}

class KeyedSequence extends Sequence {
  readonly key: number

  constructor(request: VirtualRequest, chain: BlockChain, steps: DecodeSteps) {
    super(request, chain, steps)
    this.key = request.key
  }
}

class LeapingEngine implements VirtualEngine {
  nextMs = Infinity
  private scheduler: Scheduler<KeyedSequence>
  private readonly sequences = new Map<number, KeyedSequence>()
  private stretch: Stretch | undefined
  private slowness: number
  private knownMs = -Infinity
  /** Step ends up to here are over, also those inside a stretch. */
  private advancedMs = -Infinity
  private telling = false
  /** Without those of the stretch under way. */
  private endedSteps = 0
  private endedMs = 0

  constructor(private readonly settings: EngineSettings) {
    this.slowness = settings.slowness
    this.scheduler = new Scheduler(settings)
  }

  submit(request: VirtualRequest, nowMs: number): void {
    this.reach(nowMs)
    if (this.sequences.has(request.key)) throw new RangeError(`request ${request.key} is in the engine already`)
    checkSize(request, this.settings.kvTokens)
    const chain = chainOfRuns(request, this.settings.blockTokens)
    const sequence = new KeyedSequence(request, chain, this.scheduler.decodes.steps)
    // Behind one that waits already, because it did not fit, a newcomer changes nothing.
    if (this.scheduler.waiting.size === 0) this.cutStretch()
    this.sequences.set(sequence.key, sequence)
    this.scheduler.waiting.pushBack(sequence)
    if (this.nextMs === Infinity && !this.telling) this.startStep(nowMs)
  }

  cancel(key: number, nowMs: number): boolean {
    this.reach(nowMs)
    const sequence = this.sequences.get(key)
    if (sequence === undefined) return false
    this.cutStretch()
    this.sequences.delete(key)
    this.scheduler.cancel(sequence)
    return true
  }

  advance(nowMs: number, events: VirtualEngineEvents): void {
    while (this.nextMs <= nowMs) {
      const atMs = this.nextMs
      this.telling = true
      this.finishStep(atMs, events)
      this.telling = false
      this.startStep(atMs)
      if (events.preempted !== undefined) for (const { key } of this.scheduler.preempted) events.preempted(key)
    }
    this.knownMs = Math.max(this.knownMs, nowMs)
    this.advancedMs = this.knownMs
  }

  setSlowness(slowness: number, nowMs: number): void {
    this.reach(nowMs)
    this.cutStretch()
    this.slowness = checkSlowness(slowness)
  }

  crash(nowMs: number): readonly number[] {
    this.reach(nowMs)
    const lost = [...this.sequences.keys()]
    this.cutStretch()
    this.sequences.clear()
    this.scheduler = new Scheduler(this.settings)
    this.nextMs = Infinity
    return lost
  }

  get stats(): ModelStats {
    this.takeBlocks()
    return this.scheduler.stats
  }

  get decodeSteps(): number {
    return this.endedSteps + this.stepsOver()
  }

  get lastDecodeMs(): number {
    const steps = this.stepsOver()
    return this.stretch === undefined || steps === 0 ? this.endedMs : this.stretch.endMs(steps)
  }

  cachedTokens(promptRuns: readonly VirtualRun[], promptTokens: number): number {
    this.takeBlocks()
    return this.scheduler.cachedTokens(chainOfRuns({ promptRuns, promptTokens, outputTokens: 0 }, this.settings.blockTokens), promptTokens)
  }

  private startStep(nowMs: number): void {
    this.stretch = undefined
    if (this.sequences.size === 0) {
      this.nextMs = Infinity
      return
    }
    const work = this.scheduler.plan()
    const firstMs = stepMs(this.settings, work, this.slowness)
    const steps = this.scheduler.equalSteps
    this.nextMs = nowMs + firstMs
    if (steps === 1) return
    const growthMs = this.slowness * this.settings.kvTokenMs * work.decodeSequences
    this.stretch = new Stretch({ startMs: nowMs, firstMs, growthMs, steps })
    this.nextMs = this.stretch.endMs(steps)
  }

  private finishStep(atMs: number, events: VirtualEngineEvents): void {
    if (this.stretch !== undefined) this.skip(this.stretch.steps - 1, this.stretch)
    this.stretch = undefined
    if (this.scheduler.decodes.size > 0) {
      this.endedSteps++
      this.endedMs = atMs
    }
    const { first, finished } = this.scheduler.finish()
    for (const { key } of finished) this.sequences.delete(key)
    for (const { key, cachedTokens } of first) events.firstToken(key, atMs, cachedTokens)
    for (const { key } of finished) events.finished(key, atMs)
  }

  /** Something comes from outside: the stretch ends with the step under way. */
  private cutStretch(): void {
    if (this.stretch === undefined) return
    const over = this.stepsOver()
    this.nextMs = this.stretch.endMs(over + 1)
    this.skip(over, this.stretch)
    this.stretch = undefined
  }

  private skip(steps: number, stretch: Stretch): void {
    if (steps === 0) return
    this.scheduler.skip(steps)
    this.endedSteps += steps
    this.endedMs = stretch.endMs(steps)
  }

  /** What a stretch does to the cache, up to the step under way. */
  private takeBlocks(): void {
    if (this.stretch !== undefined) this.scheduler.takeBlocks(this.stepsOver() + 1)
  }

  /** Steps of the stretch that have ended. */
  private stepsOver(): number {
    return this.stretch === undefined ? 0 : this.stretch.stepsBy(this.knownMs, this.knownMs <= this.advancedMs) - 1
  }

  private reach(nowMs: number): void {
    if (nowMs > this.nextMs) throw new RangeError(`advance to ${nowMs} ms first: the step under way ends at ${this.nextMs} ms`)
    this.knownMs = Math.max(this.knownMs, nowMs)
  }
}
