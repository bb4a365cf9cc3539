import type { Lease, LeaseBook } from '../contracts/index.js'
import { LbError } from '../errors/index.js'

const ROW_BYTES = 64
const ROW_INTS = ROW_BYTES / 4
const IN_FLIGHT = 0
const WAITING = 1
const TOKENS = 2

/** A lease book that also hands out its rows. */
export interface SharedLeaseBook extends LeaseBook {
  /** What another thread needs to join: the same counters. */
  readonly buffer: SharedArrayBuffer
  /** A free row for a new node. Throws LB_TOO_MANY_NODES. For one thread only. */
  takeRow(): number
  /** Gives a row back; it is handed out again only once its counts are zero. */
  freeRow(index: number): void
  /** Requests in flight on a row, over all threads. */
  countOf(index: number): number
  waitingOf(index: number): number
  tokensOf(index: number): number
  /** Counts out whatever a dead thread had counted in. */
  clearThread(thread: number): void
}

export interface LeaseBookOptions {
  /** Most nodes. */
  readonly capacity?: number
  /** Threads that count; each writes rows of its own, everyone reads the sum. */
  readonly threads?: number
  /** Which of them this is. */
  readonly thread?: number
  /** Counters that another thread made. */
  readonly buffer?: SharedArrayBuffer
}

/**
 * Counters of claims in shared memory, one 64-byte row (a cache line of its own) for each thread and node. A thread writes its own rows only, so that
 * clearing a dead one's gives its claims back.
 */
export function createLeaseBook({ capacity = 4096, threads = 1, thread = 0, buffer }: LeaseBookOptions = {}): SharedLeaseBook {
  const shared = buffer ?? new SharedArrayBuffer(threads * capacity * ROW_BYTES)
  const cells = new Int32Array(shared)
  const threadInts = capacity * ROW_INTS
  const taken = new Set<number>()
  const sum = (index: number, field: number): number => {
    let total = 0
    for (let base = index * ROW_INTS + field; base < cells.length; base += threadInts) total += Atomics.load(cells, base)
    return total
  }
  return {
    buffer: shared,
    countOf: (index) => sum(index, IN_FLIGHT),
    waitingOf: (index) => sum(index, WAITING),
    tokensOf: (index) => sum(index, TOKENS),
    inFlight: (node) => sum(node.index, IN_FLIGHT),
    waiting: (node) => sum(node.index, WAITING),
    tokensInFlight: (node) => sum(node.index, TOKENS),
    open: (node, tokens) => new RowLease(cells, thread * threadInts + node.index * ROW_INTS, Math.max(0, Math.round(tokens))),
    takeRow() {
      for (let row = 0; row < capacity; row += 1) {
        if (taken.has(row) || sum(row, IN_FLIGHT) !== 0) continue
        taken.add(row)
        return row
      }
      throw tooManyNodes(capacity)
    },
    freeRow: (index) => void taken.delete(index),
    clearThread(dead) {
      for (let cell = dead * threadInts; cell < (dead + 1) * threadInts; cell += 1) Atomics.store(cells, cell, 0)
    },
  }
}

function tooManyNodes(capacity: number): LbError {
  return new LbError(`a balancer holds at most ${capacity} nodes`, {
    code: 'LB_TOO_MANY_NODES',
    source: 'operator',
    hint: 'split the topology into two files with names of their own',
  })
}

/** One claim. Counts itself out once, whoever asks and however often. */
class RowLease implements Lease {
  private waiting = true
  private open = true

  constructor(
    private readonly cells: Int32Array,
    private readonly base: number,
    private readonly tokens: number,
  ) {
    Atomics.add(cells, base + IN_FLIGHT, 1)
    Atomics.add(cells, base + WAITING, 1)
    Atomics.add(cells, base + TOKENS, tokens)
  }

  firstToken(): void {
    if (!this.waiting) return
    this.waiting = false
    Atomics.sub(this.cells, this.base + WAITING, 1)
  }

  settle(): void {
    if (!this.open) return
    this.open = false
    this.firstToken()
    Atomics.sub(this.cells, this.base + IN_FLIGHT, 1)
    Atomics.sub(this.cells, this.base + TOKENS, this.tokens)
  }
}
