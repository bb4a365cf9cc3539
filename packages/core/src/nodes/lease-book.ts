import type { Lease, LeaseBook } from '../contracts/index.js'
import { LbError } from '../errors/index.js'

const ROW_BYTES = 64
const ROW_INTS = ROW_BYTES / 4
const IN_FLIGHT = 0
const WAITING = 1
const TOKENS = 2
const TAKEN = 3

/** A lease book that also hands out its rows. */
export interface SharedLeaseBook extends LeaseBook {
  /** A free row for a new node. Throws LB_TOO_MANY_NODES. */
  takeRow(): number
  /** Gives a row back; it is handed out again only once its counts are zero. */
  freeRow(index: number): void
  /** Requests in flight on a row. */
  countOf(index: number): number
  waitingOf(index: number): number
  tokensOf(index: number): number
}

/** Counters of claims in shared memory: one 64-byte row a node (a cache line of its own), written with Atomics, so that data threads can join. */
export function createLeaseBook(capacity = 4096): SharedLeaseBook {
  const buffer = new SharedArrayBuffer(capacity * ROW_BYTES)
  const cells = new Int32Array(buffer)
  const read = (node: { readonly index: number }, field: number): number => Atomics.load(cells, node.index * ROW_INTS + field)
  return {
    countOf: (index) => read({ index }, IN_FLIGHT),
    waitingOf: (index) => read({ index }, WAITING),
    tokensOf: (index) => read({ index }, TOKENS),
    inFlight: (node) => read(node, IN_FLIGHT),
    waiting: (node) => read(node, WAITING),
    tokensInFlight: (node) => read(node, TOKENS),
    open: (node, tokens) => new RowLease(cells, node.index * ROW_INTS, Math.max(0, Math.round(tokens))),
    takeRow: () => takeRow(cells, capacity),
    freeRow: (index) => void Atomics.store(cells, index * ROW_INTS + TAKEN, 0),
  }
}

function takeRow(cells: Int32Array, capacity: number): number {
  for (let row = 0; row < capacity; row += 1) {
    const base = row * ROW_INTS
    const idle = Atomics.load(cells, base + IN_FLIGHT) === 0 && Atomics.load(cells, base + TAKEN) === 0
    if (!idle) continue
    Atomics.store(cells, base + TAKEN, 1)
    return row
  }
  throw new LbError(`a balancer holds at most ${capacity} nodes`, {
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
