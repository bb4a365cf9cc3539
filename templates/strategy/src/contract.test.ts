/** The contract that every strategy keeps, over made-up lives of a pool. What is yours alone is tested in strategy.test.ts. */
import { test } from 'node:test'
import { pickCosts, strategyContract } from '@plimsoll/testkit'
import { strategy } from './index.js'

for (const { title, run } of strategyContract(strategy, { settings: [{ limit: 1 }] })) await test(title, run)

await test('what a choice costs, to be looked at', async (context) => {
  for (const { nodes, microseconds } of await pickCosts(strategy)) context.diagnostic(`${nodes} nodes: ${microseconds.toFixed(2)} µs`)
})
