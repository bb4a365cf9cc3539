import type { PromptRun, Workload, WorkloadRequest } from '../workload.js'
import { streamOf } from './draws.js'

/** One request that somebody once sent. */
export interface TraceRow {
  /** From the first row on; rows are in order. */
  readonly atMs: number
  /** By blocks, where the trace has them; else one stretch that nobody shares. */
  readonly prompt: readonly PromptRun[]
  readonly outputTokens: number
  readonly session?: string
  readonly tenant?: string
  /** The answer's id, where a later prompt contains it. */
  readonly answerId?: number
  /** The next request of the conversation: sent so long after this one's answer. It is no row of its own. */
  readonly next?: { readonly thinkMs: number; readonly row: TraceRow }
}

export interface Trace {
  readonly name: string
  /** Conversations and single requests, in order of time. */
  readonly rows: readonly TraceRow[]
  /** All requests: the rows and what follows them. */
  readonly requests: number
}

export interface TraceWorkloadOptions {
  /** Spreads requests of one and the same time inside the step of the trace's clock. */
  readonly seed: number
  /** So many of the trace, from the beginning of the part; default: all. */
  readonly requests?: number
  /** Which stretch of the rows, as ratios of 0 to 1; default: all. */
  readonly part?: readonly [from: number, to: number]
}

/** A trace as a workload at its own rate. Can be read more than once. */
export function traceWorkload(trace: Trace, options: TraceWorkloadOptions): Workload {
  const { rows } = trace
  const [from, to] = options.part ?? [0, 1]
  const taken = rows.slice(Math.floor(from * rows.length), Math.ceil(to * rows.length))
  const times = spreadTimes(taken, options.seed)
  const startMs = times[0] ?? 0
  return { name: trace.name, starts: { [Symbol.iterator]: () => requestsOf(taken, times, startMs, options.requests ?? Infinity) } }
}

function* requestsOf(rows: readonly TraceRow[], times: Float64Array, startMs: number, most: number): Generator<WorkloadRequest> {
  let left = most
  for (const [at, row] of rows.entries()) {
    if (left <= 0) return
    const [request, length] = requestOf(row, (times[at] ?? 0) - startMs, left)
    left -= length
    yield request
  }
}

/** The row with what follows it, and how many requests these are. */
function requestOf(row: TraceRow, atMs: number, most: number): [WorkloadRequest, number] {
  const chain: { row: TraceRow; atMs: number }[] = [{ row, atMs }]
  for (let { next } = row; next !== undefined && chain.length < most; { next } = next.row) chain.push({ row: next.row, atMs: next.thinkMs })
  let request: WorkloadRequest | undefined
  for (const each of chain.toReversed()) {
    const { prompt, outputTokens, session, tenant, answerId } = each.row
    request = {
      atMs: each.atMs,
      prompt,
      outputTokens,
      ...(session === undefined ? {} : { session }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(answerId === undefined ? {} : { answerId }),
      ...(request === undefined ? {} : { next: request }),
    }
  }
  return [request as WorkloadRequest, chain.length]
}

/** Equal times are where a coarse clock stood still: they are spread over its step, which is the smallest gap between two different times, in their order. */
function spreadTimes(rows: readonly TraceRow[], seed: number): Float64Array {
  const times = Float64Array.from(rows, (row) => row.atMs)
  const stepMs = smallestGap(times)
  const random = streamOf(seed, 'spread')
  for (let from = 0; from < times.length;) {
    const time = times[from] ?? 0
    let to = from + 1
    while (times[to] === time) to++
    if (to - from > 1) {
      const inside = Float64Array.from({ length: to - from }, () => random.next()).sort()
      for (const [at, share] of inside.entries()) times[from + at] = time + share * stepMs
    }
    from = to
  }
  return times
}

function smallestGap(times: Float64Array): number {
  let smallest = Infinity
  for (let at = 1; at < times.length; at++) {
    const gap = (times[at] ?? 0) - (times[at - 1] ?? 0)
    if (gap > 0) smallest = Math.min(smallest, gap)
  }
  return smallest === Infinity ? 0 : smallest
}
