import type { Candidate, JsonSchema, StrategyContext, StrategyPlugin } from '../contracts/index.js'
import { MarginalCost } from './marginal-cost.js'
import { marginalProperties, type MarginalSettings, type MarginalWeights } from './marginal-settings.js'
import { numberSetting, settingsSchema } from './settings.js'

/** Filled in by the registry where they are left out. */
interface AdaptiveSettings extends MarginalSettings {
  readonly reach: number
  readonly reachWhenSaturated: number
}

/**
 * Where the short list is LMetric's, these serve better than the weights that the cost was first tuned with alone: prefill ahead of others weighs more,
 * affinity grows less with the queues, and requests beyond a full batch are not counted twice (they are prefill ahead already).
 */
const weights = { batch: 1.6, queue: 1.3, lostWhenSaturated: 3, fullBatch: 0 } as const satisfies Partial<MarginalWeights>

const reach: Readonly<Record<string, JsonSchema>> = {
  reach: numberSetting(
    { from: 1, to: 1000, or: 1.25 },
    'How many times the least product of prefill ahead and requests beside a node may have and still be compared. 1: what `lmetric` would choose. Nearer to 1 where answers read the same few texts.',
  ),
  reachWhenSaturated: numberSetting(
    { from: 1, to: 1000, or: 5.5 },
    'The same while all queues are long, when a lost cache costs more than a longer queue. In between, in between.',
  ),
}

/**
 * LMetric draws the short list, the marginal cost chooses from it. LMetric needs no constants and is hard to beat at the first token; the marginal cost
 * knows what an answer costs the others, what unequal nodes are and what a lost cache costs, and errs where its picture of a cache does. The longer the
 * queues, the longer the list; where engines tell of their caches themselves every node is on it. Where answers read the same few texts the list is one
 * node long, and the answer counts in the product: then the number of answers decides how long steps are, and no cache is worth a crowd. There are no modes between which it could flap: each
 * choice is made anew from what is believed at that moment. docs/decisions/2026-11-21-adaptive.md has the measurements.
 */
export const adaptive: StrategyPlugin<AdaptiveSettings> = {
  name: 'adaptive',
  summary:
    'The default. Of the nodes with little prefill ahead and few requests beside, the one where the request costs the pool the least time. Follows prefix caches, unequal and failing nodes.',
  settings: settingsSchema({ ...reach, ...marginalProperties(weights) }),
  create(context) {
    const { reach: calm, reachWhenSaturated: saturated, ...settings } = context.settings
    return new MarginalCost({ ...context, settings }, (candidates, { saturation, common }) =>
      tellOfCaches(context, candidates) ? Infinity : 1 + (1 - common) * (calm + saturation * (saturated - calm) - 1),
    )
  },
}

/** All engines tell what their caches hold. */
function tellOfCaches({ belief }: StrategyContext<AdaptiveSettings>, candidates: readonly Candidate[]): boolean {
  for (const node of candidates) if (belief.of(node).cacheSource !== 'events') return false
  return true
}
