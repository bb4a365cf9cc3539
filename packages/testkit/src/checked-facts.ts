import assert from 'node:assert/strict'
import type { LoadFacts } from '@plimsoll/core/plugin'

const ratios = ['kvUsedRatio'] as const
const counts = [
  'running',
  'waiting',
  'slots',
  'kvBlocks',
  'kvBlockTokens',
  'promptTokens',
  'cachedTokens',
  'contextTokens',
  'expertImbalance',
] as const

/** Facts that nobody told are left out; a NaN or a negative count would be believed. */
export function checkedFacts(facts: LoadFacts | undefined): void {
  assert.equal(typeof facts, 'object')
  for (const name of counts)
    assert.ok(facts?.[name] === undefined || (Number.isFinite(facts[name]) && facts[name] >= 0), `${name} is ${facts?.[name]}`)
  for (const name of ratios) assert.ok(facts?.[name] === undefined || (facts[name] >= 0 && facts[name] <= 1), `${name} is ${facts?.[name]}`)
}
