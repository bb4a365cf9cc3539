import type { Strategy } from '@plimsoll/core/routing'
import { rounded } from './percentiles.js'
import { Simulation } from './simulation.js'
import { checkOptions, type SimulationOptions, type StrategyChoice } from './simulation-options.js'
import type { SimulationResult } from './simulation-result.js'

const WARMUP_SHARE = 0.2

/** Runs one workload through one strategy. Throws LB_SIMULATION_OPTIONS, LB_STRATEGY_UNKNOWN, LB_SIMULATION_STUCK. */
export function simulate(options: SimulationOptions): SimulationResult {
  checkOptions(options)
  const simulation = new Simulation(options)
  simulation.run()
  const { nodes, workload, strategy, rate = 1, seed = 1, beliefKind = 'mirror', warmupShare = WARMUP_SHARE, toTheEnd } = options
  const { measures, clients, counts, balancer, clock, recorder, scaling } = simulation
  return {
    strategy: strategy.name,
    settings: strategy.settings ?? {},
    workload: workload.name,
    nodes: nodes.length,
    belief: beliefKind,
    rate,
    seed,
    ...measures.figures(warmupShare, toTheEnd === true ? Infinity : clients.lastStartMs, options.sloTtftMs),
    strategyReport: reportOf(simulation.strategy),
    ...counts,
    ...balancer.counts,
    simulatedMs: clock.ms,
    perNode: measures.perNode(nodes.length),
    load: recorder.result,
    ...(scaling === undefined ? {} : { scale: scaling.result(clients.lastStartMs) }),
  }
}

/** What is compared: each strategy at each rate and seed, all else alike. */
export interface GridOptions extends Omit<SimulationOptions, 'strategy' | 'rate' | 'seed' | 'workload'> {
  readonly strategies: readonly StrategyChoice[]
  /** Default: 1. */
  readonly rates?: readonly number[]
  /** Default: 1. */
  readonly seeds?: readonly number[]
  /** Made anew for each run, because a workload may be an iterator that can be read once. */
  readonly workload: (seed: number) => SimulationOptions['workload']
}

/** Several runs, in the order of strategies, then rates, then seeds. The shape that `lb simulate --json` prints. */
export function simulateGrid({ strategies, rates = [1], seeds = [1], workload, ...common }: GridOptions): {
  readonly results: readonly SimulationResult[]
} {
  const results = strategies.flatMap((strategy) =>
    rates.flatMap((rate) => seeds.map((seed) => simulate({ ...common, workload: workload(seed), strategy, rate, seed }))),
  )
  return { results }
}

function reportOf(strategy: Strategy): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(strategy.report?.() ?? {}).map(([name, value]) => [name, rounded(value)]))
}
