import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BeliefView, Candidate, RequestFacts, StrategyContext } from '@plimsoll/core/plugin'
import { strategy } from './index.js'

const nodes: readonly Candidate[] = [0, 1, 2].map((index) => ({ id: `pool/node-${index}`, index, weight: 1 }))

/** The node chosen while so many requests are in flight on each. */
function chosen(inFlight: readonly number[], limit = 8): number {
  const belief = { of: ({ index }: { index: number }) => ({ inFlight: inFlight[index] ?? 0 }) } as unknown as BeliefView
  const context = { settings: { limit }, belief } as unknown as StrategyContext<{ limit: number }>
  return strategy.create(context).pick({} as RequestFacts, nodes)
}

await test('it fills one node before the next', () => {
  assert.equal(chosen([0, 5, 0]), 1)
  assert.equal(chosen([3, 8, 0]), 0)
})

await test('it spreads when all are full', () => {
  assert.equal(chosen([9, 8, 12]), 1)
})
