import type { NodeRows } from '../contracts/index.js'
import { LbError } from '../errors/index.js'

const ROW_BYTES = 64
const ROW_INTS = ROW_BYTES / 4

/** Fields of a row. */
export const IN_FLIGHT = 0
export const WAITING = 1
export const TOKENS = 2
export const PREFILL_TOKENS = 3
export const KV_TOKENS = 4

export interface LeaseRowsOptions {
  /** Most nodes. */
  readonly capacity?: number
  /** Threads that count; each writes rows of its own, everyone reads the sum. */
  readonly threads?: number
  /** Which of them this is. */
  readonly thread?: number
  /** Counters that another thread made. */
  readonly buffer?: SharedArrayBuffer | undefined
}

/**
 * Counters of claims in shared memory, one 64-byte row (a cache line of its own) for each thread and node. A thread writes its own rows only, so that
 * clearing a dead one's gives its claims back.
 */
export class LeaseRows implements NodeRows {
  /** What another thread needs to join: the same counters. */
  readonly buffer: SharedArrayBuffer
  private readonly cells: Int32Array
  private readonly capacity: number
  private readonly threadInts: number
  private readonly ownBase: number
  private readonly taken = new Set<number>()

  constructor({ capacity = 4096, threads = 1, thread = 0, buffer }: LeaseRowsOptions = {}) {
    this.buffer = buffer ?? new SharedArrayBuffer(threads * capacity * ROW_BYTES)
    this.cells = new Int32Array(this.buffer)
    this.capacity = capacity
    this.threadInts = capacity * ROW_INTS
    this.ownBase = thread * this.threadInts
  }

  /** One field of one node, over all threads. */
  sum(index: number, field: number): number {
    let total = 0
    for (let base = index * ROW_INTS + field; base < this.cells.length; base += this.threadInts) total += Atomics.load(this.cells, base)
    return total
  }

  add(index: number, field: number, amount: number): void {
    Atomics.add(this.cells, this.ownBase + index * ROW_INTS + field, amount)
  }

  countOf(index: number): number {
    return this.sum(index, IN_FLIGHT)
  }

  takeRow(): number {
    for (let row = 0; row < this.capacity; row += 1) {
      if (this.taken.has(row) || this.sum(row, IN_FLIGHT) !== 0) continue
      this.taken.add(row)
      return row
    }
    throw tooManyNodes(this.capacity)
  }

  freeRow(index: number): void {
    this.taken.delete(index)
  }

  /** Counts out whatever a dead thread had counted in. */
  clearThread(dead: number): void {
    for (let cell = dead * this.threadInts; cell < (dead + 1) * this.threadInts; cell += 1) Atomics.store(this.cells, cell, 0)
  }
}

function tooManyNodes(capacity: number): LbError {
  return new LbError(`a balancer holds at most ${capacity} nodes`, {
    code: 'LB_TOO_MANY_NODES',
    source: 'operator',
    hint: 'split the topology into two files with names of their own',
  })
}
