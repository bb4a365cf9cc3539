import type { NodeRows } from '../contracts/index.js'
import { LbError } from '../errors/index.js'

const ROW_BYTES = 64
const ROW_INTS = ROW_BYTES / 4
const ROW_TIMES = ROW_BYTES / 8
const TOLD_FIELDS = 4
const TOLD_BYTES = 8 * TOLD_FIELDS
const AGED_BYTES = 4

/** Counters of a row. */
export const IN_FLIGHT = 0
export const WAITING = 1
export const TOKENS = 2
export const PREFILL_TOKENS = 3
export const KV_TOKENS = 4
/** Prefill of the thread's request that waits longest. */
export const HEAD_TOKENS = 5
/** The thread's longest prompt that waits. */
export const LARGEST_TOKENS = 6
/** The longest answer that may come to the thread without a word before its end. */
export const SILENT_TOKENS = 7

/** Times of a row, on the first thread's monotonic clock: since when that request is the first in line, the last token or the first work, the last moment with one waiting, the last token. */
export const HEAD_SINCE = 4
export const PROGRESS = 5
export const LAST_WAITING = 6
export const TOKEN_AT = 7

/** What the first thread tells all others of a node; 0 = nothing yet. */
export const SLOWNESS = 0
export const SLOWNESS_AT = 1
export const CAPACITY_TOKENS = 2
/** Share of the tokens believed cached that the engine found there, and 1: so that 0 means nothing yet. */
export const TRUST = 3

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
  private readonly times: Float64Array
  /** Written by the first thread only; numbers of eight bytes, which are never seen half written. */
  private readonly told: Float64Array
  /** Of those that wait: such whose prompts must have been computed long ago, and whose answers come whole. Seldom read, so not in the rows. */
  private readonly aged: Int32Array
  private readonly capacity: number
  private readonly thread: number
  private readonly threadInts: number
  private readonly ownBase: number
  private readonly taken = new Set<number>()

  constructor({ capacity = 4096, threads = 1, thread = 0, buffer }: LeaseRowsOptions = {}) {
    this.buffer = buffer ?? new SharedArrayBuffer(capacity * (threads * (ROW_BYTES + AGED_BYTES) + TOLD_BYTES))
    const rowBytes = ((this.buffer.byteLength - capacity * TOLD_BYTES) / (ROW_BYTES + AGED_BYTES)) * ROW_BYTES
    this.cells = new Int32Array(this.buffer, 0, rowBytes / 4)
    this.times = new Float64Array(this.buffer, 0, rowBytes / 8)
    this.told = new Float64Array(this.buffer, rowBytes, capacity * TOLD_FIELDS)
    this.aged = new Int32Array(this.buffer, rowBytes + capacity * TOLD_BYTES)
    this.capacity = capacity
    this.thread = thread
    this.threadInts = capacity * ROW_INTS
    this.ownBase = thread * this.threadInts
  }

  /** One field of one node, over all threads. Read plainly: an aligned integer comes whole, each thread writes its own, and an atomic read costs three times as much. */
  sum(index: number, field: number): number {
    let total = 0
    for (let base = index * ROW_INTS + field; base < this.cells.length; base += this.threadInts) total += this.cells[base] ?? 0
    return total
  }

  /** The largest of all threads. */
  most(index: number, field: number): number {
    let most = 0
    for (let base = index * ROW_INTS + field; base < this.cells.length; base += this.threadInts)
      most = Math.max(most, this.cells[base] ?? 0)
    return most
  }

  add(index: number, field: number, amount: number): void {
    Atomics.add(this.cells, this.ownBase + index * ROW_INTS + field, amount)
  }

  /** Replaces one of this thread's own numbers. */
  put(index: number, field: number, value: number): void {
    Atomics.store(this.cells, this.ownBase + index * ROW_INTS + field, value)
  }

  putTime(index: number, field: number, sharedMs: number): void {
    this.times[this.ownBase / 2 + index * ROW_TIMES + field] = sharedMs
  }

  agedOf(index: number): number {
    let total = 0
    for (let at = index; at < this.aged.length; at += this.capacity) total += this.aged[at] ?? 0
    return total
  }

  addAged(index: number, amount: number): void {
    Atomics.add(this.aged, this.thread * this.capacity + index, amount)
  }

  /** The latest of all threads. */
  latest(index: number, field: number): number {
    let latest = 0
    for (let at = index * ROW_TIMES + field; at < this.times.length; at += this.threadInts / 2)
      latest = Math.max(latest, this.times[at] ?? 0)
    return latest
  }

  /** Where the row begins of the thread whose first in line has been there longest; -1 where none waits. */
  headRow(index: number): number {
    let head = -1
    let headMs = Infinity
    for (let base = index * ROW_INTS; base < this.cells.length; base += this.threadInts) {
      if ((this.cells[base + WAITING] ?? 0) <= 0) continue
      const sinceMs = this.times[base / 2 + HEAD_SINCE] ?? 0
      if (sinceMs >= headMs) continue
      headMs = sinceMs
      head = base
    }
    return head
  }

  headTokensAt(row: number): number {
    return row < 0 ? 0 : (this.cells[row + HEAD_TOKENS] ?? 0)
  }

  headSinceAt(row: number): number {
    return this.times[row / 2 + HEAD_SINCE] ?? 0
  }

  tell(index: number, field: number, value: number): void {
    this.told[index * TOLD_FIELDS + field] = value
  }

  toldOf(index: number, field: number): number {
    return this.told[index * TOLD_FIELDS + field] ?? 0
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
    this.aged.fill(0, dead * this.capacity, (dead + 1) * this.capacity)
  }
}

function tooManyNodes(capacity: number): LbError {
  return new LbError(`a balancer holds at most ${capacity} nodes`, {
    code: 'LB_TOO_MANY_NODES',
    source: 'operator',
    hint: 'split the topology into two files with names of their own',
  })
}
