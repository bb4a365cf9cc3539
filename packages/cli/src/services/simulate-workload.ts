import { blindSource, openSource, sourceNames, type WorkloadSource } from '@plimsoll/simulate'
import { defaultStrategyName, type StrategyRegistry } from '@plimsoll/core'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { wrongInput } from '../wrong-input.js'
import { parseFaults } from './parse-faults.js'
import { parseRates } from './parse-rates.js'
import { parseStrategies, type LabelledStrategy } from './parse-strategies.js'
import { runSimulations, type OnRun } from './run-simulations.js'
import { simulatedFleet, type Fleet, type FleetFlags } from './simulated-fleet.js'
import { simulatedStrategies } from './simulated-strategies.js'
import type { SimulationReport } from '../views/simulation-text.js'

export interface SimulateFlags extends FleetFlags {
  readonly trace?: string | undefined
  readonly blind?: number | undefined
  readonly strategy?: string | undefined
  readonly rate?: string | undefined
  readonly fault?: readonly string[] | undefined
  readonly requests?: number | undefined
  readonly seed: number
  readonly belief: 'none' | 'mirror' | 'exact'
}

const USUAL_NODES = 8
const USUAL_PROFILE = '8b-h100'
/** What is compared where nobody says: the default, the plainest, and two that look at caches. */
const USUAL_STRATEGIES = [...new Set([defaultStrategyName, 'round-robin', 'lmetric', 'marginal-cost'])].join(',')

/** Runs the workload through each strategy at each rate. Throws LB_WRONG_INPUT, LB_BAD_TRACE and those of a topology. */
export async function simulateWorkload(flags: SimulateFlags, onRun: OnRun): Promise<SimulationReport> {
  const source = sourceOf(flags)
  const fleet = await simulatedFleet(flags, { nodes: USUAL_NODES, profile: source.profile ?? USUAL_PROFILE })
  const rates = flags.rate === undefined ? [usualRate(source, fleet)] : parseRates(flags.rate)
  const registry = await simulatedStrategies(flags.pluginRoots, flags.strategy)
  const { seed, requests, belief, fault = [] } = flags
  const results = await runSimulations(
    {
      nodes: fleet.nodes,
      registry,
      strategies: strategiesOf(flags, fleet.strategy, registry),
      rates,
      seed,
      workload: source.workload({ seed, ...(requests === undefined ? {} : { requests }) }),
      faults: parseFaults(fault, fleet.nodes.length),
      beliefKind: belief,
    },
    onRun,
  )
  return { workload: { name: source.name, summary: source.summary }, fleet: fleet.summary, seed, results }
}

/** By the name of a workload, else a file. */
export function sourceOf({
  cwd,
  trace,
  blind,
  pool,
  topology,
}: Pick<SimulateFlags, 'cwd' | 'trace' | 'blind' | 'pool' | 'topology'>): WorkloadSource {
  const names = sourceNames.map(({ name }) => name)
  const generated = trace === undefined ? blind !== undefined : names.includes(trace)
  if (pool !== undefined && topology === undefined && generated) {
    throw wrongInput(`--pool ${pool} has nothing to choose from`, 'it names a pool of --topology, or of a request log given with --trace')
  }
  if (blind !== undefined) return blindSource(blind)
  if (trace === undefined) throw wrongInput('no workload is named', `add --trace with ${names.join(', ')} or a file, or --blind 1`)
  if (names.includes(trace)) return openSource(trace)
  const file = resolve(cwd, trace)
  if (existsSync(file)) return openSource(file, pool)
  throw wrongInput(`--trace ${trace} is no workload, and there is no such file`, `known are ${names.join(', ')}`)
}

/** What so many nodes are meant to serve, however many they are; of a trace of the user's own, its own rate. */
export function usualRate(source: WorkloadSource, { nodes }: Fleet): number {
  if (source.profile === undefined) return 1
  return Number(((source.ratePer8 * nodes.length) / 8).toPrecision(4))
}

function strategiesOf({ strategy }: SimulateFlags, own: LabelledStrategy | undefined, registry: StrategyRegistry): LabelledStrategy[] {
  const named = strategy === undefined ? undefined : parseStrategies(strategy, registry)
  if (own === undefined) return named ?? parseStrategies(USUAL_STRATEGIES, registry)
  return [own, ...(named ?? []).filter(({ label }) => label !== own.label)]
}
