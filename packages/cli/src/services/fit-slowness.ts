import type { StrategyRegistry } from '@plimsoll/core'
import { simulate, type SimulatedNode, type StrategyChoice, type WorkloadSource } from '@plimsoll/simulate'
import type { LoggedFigures } from '../views/replay-text.js'

export interface FitOptions {
  readonly source: WorkloadSource
  readonly nodes: readonly SimulatedNode[]
  /** What ran. */
  readonly strategy: StrategyChoice
  readonly registry: StrategyRegistry
  readonly measured: LoggedFigures
  readonly seed: number
}

const ROUNDS = 4
const REQUESTS = 2000
const DIGITS = 3
const [LEAST, MOST] = [0.01, 100]

/** How much slower the modelled engines must be for the log's time per token; where it holds no streams, for its time of a whole answer. */
export function fitSlowness({ source, nodes, strategy, registry, measured, seed }: FitOptions): number {
  const streamedMs = measured.tpotMs?.p50 ?? 0
  const hasStreams = streamedMs > 0
  const wantedMs = hasStreams ? streamedMs : measured.e2eMs.p50
  let slowness = 1
  for (let round = 0; round < ROUNDS && wantedMs > 0; round++) {
    const workload = source.workload({ seed, requests: REQUESTS })
    const { tpotMs, e2eMs } = simulate({
      nodes: slower(nodes, slowness),
      workload,
      strategy,
      registry,
      seed,
      warmupShare: 0,
      toTheEnd: true,
    })
    const foundMs = hasStreams ? tpotMs.p50 : e2eMs.p50
    if (foundMs <= 0) return 1
    slowness = Math.min(MOST, Math.max(LEAST, (slowness * wantedMs) / foundMs))
  }
  return Number(slowness.toPrecision(DIGITS))
}

export function slower(nodes: readonly SimulatedNode[], by: number): SimulatedNode[] {
  return nodes.map((node) => ({ ...node, slowness: (node.slowness ?? 1) * by }))
}
