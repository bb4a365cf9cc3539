import { defaultSteps, rolloutDefaults, type PoolPlan, type RolloutPlan } from '../topology/index.js'
import type { RolloutWish } from './rollout-wish.js'

/** What was wished, in the place of what the pool says, in the place of what lb takes where nobody says anything. */
export function planOfWish(pool: Pick<PoolPlan, 'rollout'>, { plan = {} }: Pick<RolloutWish, 'plan'>): RolloutPlan {
  const base = pool.rollout ?? rolloutDefaults
  const given = Object.fromEntries(Object.entries(plan).filter(([, value]) => value !== undefined)) as Partial<RolloutPlan>
  const isOtherKind = given.kind !== undefined && given.kind !== base.kind
  const steps = given.steps ?? (isOtherKind ? defaultSteps(given.kind) : base.steps)
  return { ...base, ...given, steps, judge: { ...base.judge, ...given.judge } }
}
