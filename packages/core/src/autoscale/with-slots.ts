import type { PoolChange, PoolPlan } from '../topology/index.js'

/** The pool as it runs, with other replicas of one group. What else was changed in it stays. */
export function withSlots({ groups, split, wake }: PoolPlan, name: string, slots: readonly number[]): PoolChange {
  return {
    groups: groups.map((group) =>
      group.name === name && group.launch !== undefined ? { ...group, launch: { ...group.launch, slots } } : group,
    ),
    ...(split === undefined ? {} : { split }),
    ...(wake === undefined ? {} : { wake }),
  }
}
