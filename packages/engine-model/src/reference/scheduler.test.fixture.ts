import { BlockPool } from './block-pool.test.fixture.js'
import type { Sequence } from './sequence.test.fixture.js'
import { WaitingQueue } from '../waiting-queue.js'

export interface SchedulerLimits {
  readonly maxNumBatchedTokens: number
  readonly maxNumSeqs: number
  readonly blockTokens: number
  readonly totalBlocks: number
}

/**
 * Fills one step: decodes first, then prefill chunks of running sequences, then new ones in order of arrival, all under one token budget.
 * Like vLLM's v1 scheduler (`engines/vllm.md`, section 10): a new sequence enters only when its whole prompt fits into free blocks,
 * nothing enters in a step that preempted, and the last one running is preempted when blocks run out.
 */
export class Scheduler {
  readonly pool: BlockPool
  readonly waiting = new WaitingQueue<Sequence>()
  readonly running: Sequence[] = []
  readonly counters = { preemptions: 0, prefixQueryTokens: 0, prefixHitTokens: 0 }
  private budget = 0
  private preempted: Sequence[] = []

  constructor(private readonly limits: SchedulerLimits) {
    this.pool = new BlockPool(limits.totalBlocks)
  }

  /** Gives every sequence in the step its chunk; returns the preempted ones. */
  fill(): readonly Sequence[] {
    this.budget = this.limits.maxNumBatchedTokens
    this.preempted = []
    this.scheduleRunning(true)
    this.scheduleRunning(false)
    if (this.preempted.length === 0) this.admitWaiting()
    return this.preempted
  }

  /** Blocks of such a prompt that would be hit now. */
  countCached(blockHashes: readonly number[], promptTokens: number): number {
    return this.findPrefix(blockHashes, promptTokens).length
  }

  /** Blocks go back tail first, so that the tail is evicted first and shared beginnings live longest. */
  releaseBlocks(sequence: Sequence): void {
    for (let index = sequence.blocks.length - 1; index >= 0; index--) this.pool.release(sequence.blocks[index] ?? 0)
    sequence.blocks.length = 0
  }

  private scheduleRunning(decodes: boolean): void {
    // By index: a preemption shortens the array under the loop.
    for (let index = 0; index < this.running.length && this.budget > 0; index++) {
      const sequence = this.running[index]
      if (sequence === undefined || sequence.chunk > 0 || sequence.isDecode !== decodes) continue
      this.schedule(sequence)
    }
  }

  private schedule(sequence: Sequence): void {
    const chunk = Math.min(sequence.knownTokens - sequence.computedTokens, this.budget)
    if (!this.makeRoom(sequence, this.missingBlocks(sequence, chunk))) return
    this.grow(sequence, chunk)
    sequence.decoding = sequence.isDecode
    sequence.chunk = chunk
    this.budget -= chunk
  }

  private missingBlocks(sequence: Sequence, chunk: number): number {
    return Math.ceil((sequence.computedTokens + chunk) / this.limits.blockTokens) - sequence.blocks.length
  }

  /** False when the sequence itself had to go. */
  private makeRoom(sequence: Sequence, blocks: number): boolean {
    while (this.pool.free < blocks) {
      const victim = this.running.at(-1)
      if (victim === undefined) return false
      this.preempt(victim)
      if (victim === sequence) return false
    }
    return true
  }

  private preempt(victim: Sequence): void {
    this.running.pop()
    this.releaseBlocks(victim)
    this.budget += victim.chunk
    victim.chunk = 0
    victim.computedTokens = 0
    victim.preemptions++
    victim.state = 'waiting'
    this.waiting.pushFront(victim)
    this.preempted.push(victim)
    this.counters.preemptions++
  }

  /** Allocates for the chunk and publishes each block that it fills: as in vLLM, hits are possible from the moment of scheduling. */
  private grow(sequence: Sequence, chunk: number): void {
    for (let missing = this.missingBlocks(sequence, chunk); missing > 0; missing--) sequence.blocks.push(this.pool.allocate())
    const firstNew = Math.floor(sequence.computedTokens / this.limits.blockTokens)
    const full = Math.floor((sequence.computedTokens + chunk) / this.limits.blockTokens)
    for (let index = firstNew; index < full; index++) {
      const hash = sequence.blockHashes[index]
      if (hash !== undefined) this.pool.publish(sequence.blocks[index] ?? 0, hash)
    }
  }

  private admitWaiting(): void {
    while (this.budget > 0 && this.running.length < this.limits.maxNumSeqs) {
      const sequence = this.waiting.peek()
      if (sequence === undefined || !this.takeCachedPrefix(sequence)) return
      this.waiting.shift()
      this.running.push(sequence)
      sequence.state = 'running'
      this.schedule(sequence)
    }
  }

  /** False when the prompt does not fit; nothing is held then. */
  private takeCachedPrefix(sequence: Sequence): boolean {
    const hits = this.findPrefix(sequence.blockHashes, sequence.knownTokens)
    const fresh = Math.ceil(sequence.knownTokens / this.limits.blockTokens) - hits.length
    const revived = hits.reduce((count, block) => count + (this.pool.isFree(block) ? 1 : 0), 0)
    if (this.pool.free < fresh + revived) return false
    for (const block of hits) {
      this.pool.retain(block)
      sequence.blocks.push(block)
    }
    sequence.computedTokens = hits.length * this.limits.blockTokens
    this.countPrefix(sequence)
    return true
  }

  /** Whole blocks only, and never the last token: something must be computed to get an answer. */
  private findPrefix(blockHashes: readonly number[], knownTokens: number): number[] {
    const hits: number[] = []
    const limit = Math.min(Math.floor((knownTokens - 1) / this.limits.blockTokens), blockHashes.length)
    for (let index = 0; index < limit; index++) {
      const block = this.pool.find(blockHashes[index] ?? 0)
      if (block === undefined) break
      hits.push(block)
    }
    return hits
  }

  private countPrefix(sequence: Sequence): void {
    if (sequence.admitted) return
    sequence.admitted = true
    sequence.cachedTokens = sequence.computedTokens
    this.counters.prefixQueryTokens += sequence.promptTokens
    this.counters.prefixHitTokens += sequence.cachedTokens
  }
}
