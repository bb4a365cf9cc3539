import type { StrategyRegistry } from '@plimsoll/core'
import { simulate, type SimulationOptions, type Workload } from '@plimsoll/simulate'
import type { LabelledResult } from '../views/simulation-text.js'
import { propertiesOf, type LabelledStrategy } from './parse-strategies.js'

export interface Comparison extends Omit<SimulationOptions, 'workload' | 'strategy' | 'rate'> {
  readonly strategies: readonly LabelledStrategy[]
  readonly rates: readonly number[]
  readonly workload: Workload
  readonly registry: StrategyRegistry
}

/** Told before each run. */
export type OnRun = (done: number, of: number, what: string) => void

/** Each strategy at each rate, rate by rate, all else alike. Between two runs the process can be interrupted. */
export async function runSimulations({ strategies, rates, ...common }: Comparison, onRun: OnRun): Promise<LabelledResult[]> {
  const results: LabelledResult[] = []
  for (const rate of rates)
    for (const strategy of strategies) {
      onRun(results.length, rates.length * strategies.length, `${strategy.label} at rate ${rate}`)
      await new Promise((resolve) => setImmediate(resolve))
      results.push({ ...simulate({ ...common, rate, strategy: knowingTheMachine(strategy, common) }), label: strategy.label })
    }
  return results
}

/** A strategy that can be told what machine it works with is told, as its operator would, where all nodes are alike. */
export function knowingTheMachine(
  strategy: LabelledStrategy,
  { nodes, registry }: { readonly nodes: SimulationOptions['nodes']; readonly registry: StrategyRegistry },
): LabelledStrategy {
  const [first, ...others] = nodes
  const schema = registry.find(strategy.name)?.settings
  const profile = schema === undefined ? undefined : propertiesOf(schema)['profile']
  const allowed = profile?.['enum']
  if (first === undefined || !Array.isArray(allowed) || !allowed.includes(first.preset)) return strategy
  if (others.some(({ preset }) => preset !== first.preset)) return strategy
  return { ...strategy, settings: { profile: first.preset, ...strategy.settings } }
}
