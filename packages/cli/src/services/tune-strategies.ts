import { defaultStrategyName, type StrategyRegistry } from '@plimsoll/core'
import { tune, type TuneGoal } from '@plimsoll/simulate'
import { parseRates } from './parse-rates.js'
import { parseStrategies, type LabelledStrategy } from './parse-strategies.js'
import { knowingTheMachine, type OnRun } from './run-simulations.js'
import { sourceOf, usualRate } from './simulate-workload.js'
import { simulatedFleet, type FleetFlags } from './simulated-fleet.js'
import { simulatedStrategies } from './simulated-strategies.js'
import type { TuneReport } from '../views/tune-text.js'
import { wrongInput } from '../wrong-input.js'

export interface TuneFlags extends FleetFlags {
  readonly trace?: string | undefined
  readonly blind?: number | undefined
  readonly strategy: string
  readonly than?: string | undefined
  readonly rate?: string | undefined
  readonly for: TuneGoal
  readonly settings?: string | undefined
  readonly tries: number
  readonly judges: number
  readonly requests?: number | undefined
  readonly seed: number
}

/** Searches the settings of the strategies on a workload. Throws LB_WRONG_INPUT, LB_BAD_TRACE, LB_TUNE_TOO_SHORT, LB_TUNE_NOTHING. */
export async function tuneStrategies(flags: TuneFlags, onRun: OnRun): Promise<TuneReport> {
  const source = sourceOf(flags)
  const fleet = await simulatedFleet(flags, { nodes: 8, profile: source.profile ?? '8b-h100' })
  const registry = await simulatedStrategies(flags.pluginRoots, flags.strategy, flags.than)
  const told = (strategy: LabelledStrategy) => knowingTheMachine(strategy, { ...fleet, registry })
  const strategies = parseStrategies(flags.strategy, registry).map(told)
  const baseline = told(baselineOf(flags, fleet.strategy, registry))
  const rate = flags.rate === undefined ? usualRate(source, fleet) : oneRate(flags.rate)
  const { for: goal, tries, judges, seed, requests, settings } = flags
  const result = await tune({
    source,
    registry,
    nodes: fleet.nodes,
    strategies,
    baseline,
    rate,
    goal,
    tries,
    judges,
    seed,
    onRun,
    ...(requests === undefined ? {} : { requests }),
    ...(settings === undefined ? {} : { only: settings.split(',').map((name) => name.trim()) }),
  })
  const { name, summary } = source
  return { ...result, workload: { name, summary }, fleet: fleet.summary, rate, goal, baseline, pool: fleet.pool ?? flags.pool ?? 'chat' }
}

/** What runs now, as far as anybody says. */
function baselineOf({ than }: TuneFlags, own: LabelledStrategy | undefined, registry: StrategyRegistry): LabelledStrategy {
  const [named] = parseStrategies(than ?? defaultStrategyName, registry)
  if (than === undefined && own !== undefined) return own
  if (named !== undefined) return named
  throw wrongInput('--than names no strategy', 'write --than round-robin')
}

function oneRate(text: string): number {
  const [rate, ...others] = parseRates(text)
  if (rate === undefined || others.length > 0) throw wrongInput(`--rate ${text}: settings are tuned at one rate`, 'write --rate 1')
  return rate
}
