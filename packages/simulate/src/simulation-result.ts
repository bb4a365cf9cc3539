import type { Percentiles } from './percentiles.js'
import type { ScaleResult } from './scaling/simulated-scale.js'

/** What one node did, and how full it was over time. */
export interface NodeResult {
  readonly id: string
  /** Answers that it completed. */
  readonly requests: number
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

/** How full nodes were, at even distances of time; each list has one entry for each node, each of those one for each moment. */
export interface LoadSeries {
  /** Between two moments; the first is at 0. */
  readonly intervalMs: number
  readonly running: readonly (readonly number[])[]
  readonly waiting: readonly (readonly number[])[]
  /** 0..1 */
  readonly kvUsedRatio: readonly (readonly number[])[]
}

/** One run, as `lb simulate --json` prints it. The same options give the same result, byte for byte. */
export interface SimulationResult {
  readonly strategy: string
  /** Settings of the strategy. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly workload: string
  readonly nodes: number
  readonly belief: string
  /** Multiple of the workload's own rate. */
  readonly rate: number
  readonly seed: number
  /** Answered, after the warm-up cut and before the last session began: those that the figures are about. */
  readonly requests: number
  /** From the client's sending to the first token. */
  readonly ttftMs: Percentiles
  /** Between tokens, after the first: the mean of each answer. */
  readonly tpotMs: Percentiles
  /** From the client's sending to the last token. */
  readonly e2eMs: Percentiles
  /** Of all measured prompt tokens, those that engines found in their caches. */
  readonly cachedTokenShare: number
  /** Of measured answers, over the time in which their requests were sent. */
  readonly outputTokensPerSecond: number
  /** Of the measured requests, those with their first token within the objective; 1 where there is none. */
  readonly inObjectiveShare: number
  /** What the strategy knows of its own quality; empty for most. */
  readonly strategyReport: Readonly<Record<string, number>>
  /** All requests that clients sent, measured or not. */
  readonly sent: number
  /** No node was left to ask, or the prompt fits into none. */
  readonly refused: number
  /** Lost their node behind the first token, and were sent again by their clients. */
  readonly cut: number
  /** Lost their node before the first token, and moved to another. */
  readonly moved: number
  /** Times when the strategy let a request wait. */
  readonly held: number
  readonly preemptions: number
  /** Until the last answer. */
  readonly simulatedMs: number
  readonly perNode: readonly NodeResult[]
  readonly load: LoadSeries
  /** Where the number of nodes changed. */
  readonly scale?: ScaleResult
}
