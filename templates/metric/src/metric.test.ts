import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetricQuestion } from '@plimsoll/core/plugin'
import { metric } from './index.js'

/** What it tells of answers with these lengths. */
function told(lengths: readonly number[]): unknown {
  const samples = lengths.map((completionTokens) => ({ completionTokens }))
  return metric.evaluate({ settings: { tokens: 16, least: 3 }, samples } as unknown as MetricQuestion<{ tokens: number; least: number }>)
}

await test('it tells the share of short answers', () => {
  assert.equal(told([4, 100, 200, 300]), 0.25)
})

await test('it tells nothing of too few', () => {
  assert.equal(told([4, 100]), null)
})
