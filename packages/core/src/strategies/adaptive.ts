import type { Candidate, JsonSchema, StrategyContext, StrategyPlugin } from '../contracts/index.js'
import { MarginalCost } from './marginal-cost.js'
import { marginalSettings, type MarginalSettings } from './marginal-settings.js'
import { numberSetting, settingsSchema } from './settings.js'

interface AdaptiveSettings extends MarginalSettings {
  readonly reach?: number
}

const reach: JsonSchema & { readonly default: number } = {
  ...numberSetting(
    { from: 1, to: 1000, or: 2 },
    "How many times the least product of work ahead and requests beside a node may have to be chosen. 1: `lmetric`'s choice alone; 1000: as good as `marginal-cost`.",
  ),
  default: 2,
}

/**
 * LMetric draws the short list, the marginal cost chooses from it. LMetric needs no constants and is hard to beat at the first token; the marginal cost
 * knows what an answer costs the others, unequal nodes and what a lost cache costs, and is wrong where its picture of a cache is. Where engines tell of
 * their caches themselves the picture is right, and every node is on the list. There are no modes between which it could flap: each choice is made anew
 * from what is believed at that moment. docs/decisions/2026-11-21-adaptive.md has the measurements.
 */
export const adaptive: StrategyPlugin<AdaptiveSettings> = {
  name: 'adaptive',
  summary:
    'The default. Of the nodes with little work ahead and few requests beside, the one where the request costs the pool the least time; follows prefix caches, unequal and failing nodes.',
  settings: settingsSchema({ reach, ...(marginalSettings['properties'] as Readonly<Record<string, JsonSchema>>) }),
  create(context) {
    const { reach: most = reach.default, ...settings } = context.settings
    return new MarginalCost({ ...context, settings }, (candidates) => (tellsOfCache(context, candidates) ? Infinity : most))
  },
}

/** All engines tell what their caches hold. */
function tellsOfCache({ belief }: StrategyContext<AdaptiveSettings>, candidates: readonly Candidate[]): boolean {
  for (const node of candidates) if (belief.of(node).cacheSource !== 'events') return false
  return true
}
