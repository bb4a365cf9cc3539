import { expect, it } from 'vitest'
import type { PoolPlan } from '../topology/index.js'
import { plainGroup, plainPool, plainTopology } from '../topology/plain-plans.test.fixture.js'
import { routesDiffer } from './routing.js'

it('requests go another way where names, limits, shares or the weights of a revision differ, and not where there are more places', () => {
  const before = plainTopology(plainPool([plainGroup({ replicas: 8, slots: [0] })]), plainPool([plainGroup()], { name: 'other' }))
  const differs = (groups: PoolPlan['groups'], more: Partial<PoolPlan> = {}) =>
    routesDiffer(before, { ...before, pools: [plainPool(groups, more), ...before.pools.slice(1)] })
  expect(differs([plainGroup({ replicas: 8, slots: [0] })])).toBe(false)
  expect(differs([plainGroup({ replicas: 8, slots: [0, 1, 2] }), plainGroup({}, { name: 'more' })])).toBe(false)
  expect(differs([plainGroup({ replicas: 8, slots: [0] }, { revision: 'r1' })])).toBe(true)
  const split = { sides: [{ revision: 'r1', share: 1 }], sticky: false, watch: false }
  for (const more of [{ split }, { wake: { withinMs: 5 } }, { models: ['m', 'n'] }, { drainMs: 5 }])
    expect(differs([plainGroup({ replicas: 8, slots: [0] })], more)).toBe(true)
  expect(routesDiffer(before, { ...before, pools: before.pools.slice(1) })).toBe(true)
})
