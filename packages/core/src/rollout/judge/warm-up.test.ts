import { describe, expect, it } from 'vitest'
import type { JudgeSample } from './judge-sample.js'
import { WarmUp } from './warm-up.js'

const sample = (side: JudgeSample['side'], computedTokens: number, atMs: number): JudgeSample => ({
  side,
  node: side === 'canary' ? 'p/new' : 'p/old',
  startedAtMs: atMs,
  endedAtMs: atMs + 500,
  failed: false,
  refused: false,
  ttftMs: 10,
  computedTokens,
  tpotMs: null,
  wholeMs: null,
  completionTokens: 5,
})

/** How many requests of a new node have no times, of 200; `computed` by their number. */
function withoutTimes(computed: (index: number) => number): number {
  const warmUp = new WarmUp()
  let cold = 0
  for (let index = 0; index < 200; index += 1) {
    expect(warmUp.isOf(sample('baseline', 20, index * 1_000))).toBe(false)
    if (warmUp.isOf(sample('canary', computed(index), index * 1_000))) cold += 1
  }
  return cold
}

describe('a new node', () => {
  it('is warm after a few requests where it computes no more than the old ones', () => {
    expect(withoutTimes(() => 20)).toBe(8)
  })

  it('is cold until it computes about as much as they do', () => {
    const cold = withoutTimes((index) => (index < 30 ? 300 : 20))
    expect(cold).toBeGreaterThan(30)
    expect(cold).toBeLessThan(64)
  })

  it('is not waited for where it computes more for ever', () => {
    expect(withoutTimes(() => 300)).toBe(64)
  })

  it('has no times for what began while it was cold', () => {
    const warmUp = new WarmUp()
    warmUp.isOf(sample('baseline', 20, 0))
    for (let index = 0; index < 8; index += 1) expect(warmUp.isOf(sample('canary', 20, 1_000))).toBe(true)
    expect([warmUp.isOf(sample('canary', 20, 1_499)), warmUp.isOf(sample('canary', 20, 1_500))]).toEqual([true, false])
  })
})
