import { CompletionHeap } from './completion-heap.js'
import type { DecodeSteps, Sequence } from './sequence.js'

/**
 * The sequences that decode, as sums: a step costs the same for one as for 256. Each takes one token a step, and a new block whenever its tokens
 * fill one; so the blocks that a step needs are those of the sequences with one remainder of tokens by block size.
 */
export class DecodeBatch<S extends Sequence> {
  readonly steps: DecodeSteps = { count: 0 }
  private readonly heap = new CompletionHeap<S>()
  private readonly byPhase: Int32Array
  private kv = 0

  constructor(private readonly blockTokens: number) {
    this.byPhase = new Int32Array(blockTokens)
  }

  get size(): number {
    return this.heap.size
  }

  /** Tokens that the next step reads. */
  get kvTokens(): number {
    return this.kv
  }

  /** The one that finishes next. */
  get next(): S | undefined {
    return this.heap.top
  }

  join(sequence: S): void {
    this.kv += sequence.computedTokens
    this.count(sequence, 1)
    sequence.startDecoding()
    this.heap.push(sequence)
  }

  leave(sequence: S): void {
    this.kv -= sequence.computedTokens
    this.count(sequence, -1)
    this.heap.remove(sequence)
    sequence.stopDecoding()
  }

  /** So many steps were taken by all. */
  advance(steps: number): void {
    this.steps.count += steps
    this.kv += steps * this.size
  }

  /** Blocks that `count` steps need, the first of them `skip` steps from now. */
  blocksFor(skip: number, count: number): number {
    const rounds = Math.floor(count / this.blockTokens)
    let blocks = rounds * this.size
    for (let step = rounds * this.blockTokens; step < count; step++) blocks += this.startingAt(skip + step)
    return blocks
  }

  /** Steps that so many blocks are enough for, at most `limit`, the first of them `skip` steps from now. */
  stepsWithin(blocks: number, skip: number, limit: number): number {
    if (this.size === 0) return limit
    const rounds = Math.min(Math.floor(blocks / this.size), Math.floor(limit / this.blockTokens))
    let left = blocks - rounds * this.size
    let steps = rounds * this.blockTokens
    for (; steps < limit; steps++) {
      left -= this.startingAt(skip + steps)
      if (left < 0) break
    }
    return steps
  }

  /** Sequences that start a block so many steps from now. */
  private startingAt(step: number): number {
    return this.byPhase[remainder(-(this.steps.count + step), this.blockTokens)] ?? 0
  }

  private count(sequence: S, change: number): void {
    const phase = remainder(sequence.computedTokens - this.steps.count, this.blockTokens)
    this.byPhase[phase] = (this.byPhase[phase] ?? 0) + change
  }
}

function remainder(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor
}
