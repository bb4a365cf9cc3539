import { BlockBook } from './block-book.js'
import { DecodeBatch } from './decode-batch.js'
import type { BlockChain } from './run-chain.js'
import { indexBySerial } from './serial-order.js'
import type { Sequence } from './sequence.js'
import type { StepWork } from './step-time.js'
import type { ModelStats } from './model-stats.js'
import { WaitingQueue } from './waiting-queue.js'

export interface SchedulerLimits {
  readonly maxNumBatchedTokens: number
  readonly maxNumSeqs: number
  readonly blockTokens: number
  readonly totalBlocks: number
}

/** What a step changed, in running order. */
export interface StepChanges<S> {
  /** Have their first token. */
  readonly first: readonly S[]
  readonly finished: readonly S[]
}

/**
 * Fills steps: decodes first, then prefill chunks of running sequences, then new ones in order of arrival, all under one token budget.
 * Like vLLM's v1 scheduler (`engines/vllm.md`, section 10): a new sequence enters only when its whole prompt fits into free blocks,
 * nothing enters in a step that preempted, and the last one running is preempted when blocks run out.
 * A step costs what its prefills cost; those that decode are sums.
 */
export class Scheduler<S extends Sequence> {
  readonly waiting = new WaitingQueue<S>()
  /** In order of admission. */
  readonly running: S[] = []
  readonly decodes: DecodeBatch<S>
  readonly counters = { preemptions: 0, prefixQueryTokens: 0, prefixHitTokens: 0 }
  /** By the last plan; they wait at the front. */
  preempted: S[] = []
  private readonly book: BlockBook
  private readonly prefills: S[] = []
  private readonly maxRunning: number
  private admissions = 0
  private budget = 0
  private prefillTokens = 0
  private attentionPairs = 0
  /** Decode steps, from the one under way on, whose blocks are taken. */
  private stepsWithBlocks = 0

  constructor(private readonly limits: SchedulerLimits) {
    this.book = new BlockBook(limits.totalBlocks, limits.blockTokens)
    this.decodes = new DecodeBatch(limits.blockTokens)
    // Every decode is in every step; vLLM refuses to start with a budget that is smaller than that.
    this.maxRunning = Math.min(limits.maxNumSeqs, limits.maxNumBatchedTokens)
  }

  get freeBlocks(): number {
    return this.book.cache.freeBlocks
  }

  get stats(): ModelStats {
    const { totalBlocks } = this.limits
    const { running, waiting, freeBlocks, counters } = this
    return { running: running.length, waiting: waiting.size, usedBlocks: totalBlocks - freeBlocks, totalBlocks, ...counters }
  }

  /** Tokens of a prompt with this chain that would be hit now. */
  cachedTokens(chain: BlockChain, promptTokens: number): number {
    return this.book.countHits(chain, promptTokens) * this.limits.blockTokens
  }

  /** Gives every sequence in the next step its chunk. */
  plan(): StepWork {
    this.budget = this.limits.maxNumBatchedTokens
    this.preempted = []
    this.prefillTokens = 0
    this.attentionPairs = 0
    this.planDecodes()
    // By index: a preemption shortens the array under the loop.
    for (let index = 0; index < this.prefills.length && this.budget > 0; index++) {
      const sequence = this.prefills[index]
      if (sequence !== undefined) this.planPrefill(sequence)
    }
    if (this.preempted.length === 0) this.admitWaiting()
    const { prefillTokens, attentionPairs, decodes } = this
    return { prefillTokens, attentionPairs, decodeSequences: decodes.size, decodeKvTokens: decodes.kvTokens }
  }

  /** How many steps, the planned one included, hold the same decodes and nothing else, unless something comes from outside. */
  get equalSteps(): number {
    const { next } = this.decodes
    if (next === undefined || this.prefillTokens > 0 || this.preempted.length > 0) return 1
    const steps = next.lastStep - this.decodes.steps.count
    return 1 + this.decodes.stepsWithin(this.freeBlocks, 1, steps - 1)
  }

  /** Takes the blocks for so many equal steps, the one under way included, as if each had been planned. */
  takeBlocks(steps: number): void {
    if (steps <= this.stepsWithBlocks) return
    this.book.cache.take(this.decodes.blocksFor(this.stepsWithBlocks, steps - this.stepsWithBlocks))
    this.stepsWithBlocks = steps
  }

  /** Ends so many equal steps and starts the next one of them. */
  skip(steps: number): void {
    this.takeBlocks(steps + 1)
    this.decodes.advance(steps)
    this.stepsWithBlocks -= steps
  }

  /** Ends the planned step. */
  finish(): StepChanges<S> {
    this.decodes.advance(1)
    this.stepsWithBlocks = 0
    this.preempted = []
    const finished = this.takeDecoded()
    const first = this.finishPrefills(finished)
    if (finished.length > 1) finished.sort((one, other) => one.serial - other.serial)
    for (const sequence of finished) {
      sequence.state = 'finished'
      this.running.splice(indexBySerial(this.running, sequence), 1)
      this.book.release(sequence, sequence.computedTokens)
    }
    return { first, finished }
  }

  /** Takes a sequence out at once, also in mid-step. */
  cancel(sequence: S): void {
    if (sequence.state === 'waiting') this.waiting.discount()
    else {
      this.running.splice(indexBySerial(this.running, sequence), 1)
      this.release(sequence)
    }
    sequence.state = 'cancelled'
  }

  /** Whether the step under way, when it ends, gives this sequence a token. */
  isAboutToProduce(sequence: S): boolean {
    if (sequence.isDecoding) return true
    return sequence.chunk > 0 && sequence.outputTokens > 0 && sequence.computedTokens + sequence.chunk === sequence.knownTokens
  }

  private planDecodes(): void {
    if (this.decodes.blocksFor(0, 1) <= this.freeBlocks) this.takeBlocks(1)
    else this.planDecodesOneByOne()
    this.stepsWithBlocks = 1
    this.budget -= this.decodes.size
  }

  /** Blocks run out: in running order, until some had to go. */
  private planDecodesOneByOne(): void {
    for (let index = 0; index < this.running.length; index++) {
      const sequence = this.running[index]
      if (sequence === undefined || !sequence.isDecoding || sequence.computedTokens % this.limits.blockTokens > 0) continue
      if (this.makeRoom(sequence, 1)) this.book.cache.take(1)
    }
  }

  private planPrefill(sequence: S): void {
    const { computedTokens, knownTokens } = sequence
    const chunk = Math.min(knownTokens - computedTokens, this.budget)
    const blocks = this.book.blocksOf(computedTokens + chunk) - this.book.blocksOf(computedTokens)
    if (!this.makeRoom(sequence, blocks)) return
    this.book.cache.take(blocks)
    this.book.place(sequence, computedTokens + chunk)
    sequence.chunk = chunk
    this.budget -= chunk
    this.prefillTokens += chunk
    this.attentionPairs += chunk * (computedTokens + chunk / 2)
  }

  /** False when the sequence itself had to go. */
  private makeRoom(sequence: S, blocks: number): boolean {
    while (this.freeBlocks < blocks) {
      const victim = this.running.at(-1)
      if (victim === undefined) return false
      this.preempt(victim)
      if (victim === sequence) return false
    }
    return true
  }

  private preempt(victim: S): void {
    this.running.pop()
    // A decode that was in this step already leaves its token of the budget to others.
    if (victim.isDecoding) this.budget += this.stepsWithBlocks
    this.release(victim)
    victim.forgetBlocks()
    victim.preemptions++
    victim.state = 'waiting'
    this.waiting.pushFront(victim)
    this.preempted.push(victim)
    this.counters.preemptions++
  }

  private release(sequence: S): void {
    if (sequence.isDecoding) {
      this.decodes.leave(sequence)
      this.book.release(sequence, sequence.computedTokens + this.stepsWithBlocks)
      return
    }
    this.prefills.splice(this.prefills.indexOf(sequence), 1)
    this.book.release(sequence, sequence.computedTokens + sequence.chunk)
  }

  private admitWaiting(): void {
    while (this.budget > 0 && this.running.length < this.maxRunning) {
      const sequence = this.waiting.peek()
      if (sequence === undefined || !this.book.admit(sequence)) return
      this.waiting.shift()
      this.running.push(sequence)
      sequence.serial = this.admissions++
      sequence.state = 'running'
      this.countPrefix(sequence)
      this.enter(sequence)
    }
  }

  private enter(sequence: S): void {
    if (!sequence.canDecode) {
      this.prefills.push(sequence)
      return this.planPrefill(sequence)
    }
    // Preempted before, and all of it but the last token is still in the cache.
    const { computedTokens } = sequence
    this.book.cache.take(this.book.blocksOf(computedTokens + 1) - this.book.blocksOf(computedTokens))
    this.decodes.join(sequence)
    this.budget--
  }

  private countPrefix(sequence: S): void {
    if (sequence.admitted) return
    sequence.admitted = true
    sequence.cachedTokens = sequence.computedTokens
    this.counters.prefixQueryTokens += sequence.promptTokens
    this.counters.prefixHitTokens += sequence.cachedTokens
  }

  private takeDecoded(): S[] {
    const finished: S[] = []
    for (let { next } = this.decodes; next !== undefined && next.lastStep <= this.decodes.steps.count; { next } = this.decodes) {
      this.decodes.leave(next)
      finished.push(next)
    }
    return finished
  }

  /** Returns those with a first token; adds those that ended to `finished`. */
  private finishPrefills(finished: S[]): readonly S[] {
    const first: S[] = []
    let kept = 0
    for (const sequence of this.prefills) {
      sequence.compute(sequence.chunk)
      if (sequence.chunk > 0 && sequence.computedTokens === sequence.knownTokens && sequence.outputTokens > 0) {
        sequence.produce()
        if (sequence.producedTokens === 1) first.push(sequence)
      }
      sequence.chunk = 0
      if (sequence.computedTokens >= sequence.promptTokens && sequence.producedTokens === sequence.outputTokens) finished.push(sequence)
      else if (sequence.canDecode) this.decodes.join(sequence)
      else this.prefills[kept++] = sequence
    }
    this.prefills.length = kept
    return first
  }
}
