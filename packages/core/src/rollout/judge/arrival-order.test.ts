import { describe, expect, it } from 'vitest'
import { ArrivalOrder } from './arrival-order.js'
import type { JudgeSample } from './judge-sample.js'

const first = { step: 1, isEarly: false, isWarmingUp: false, load: 0 }
const sample = (startedAtMs: number | null, endedAtMs: number | null): JudgeSample => ({
  side: 'canary',
  node: 'chat/a',
  startedAtMs,
  endedAtMs,
  failed: false,
  refused: false,
  ttftMs: null,
  computedTokens: null,
  tpotMs: null,
  wholeMs: null,
  completionTokens: 1,
})

describe('the order in which requests began', () => {
  it('is kept once it is known how long they take, without those that took longer', () => {
    const passed: (number | null)[] = []
    const order = new ArrivalOrder(({ startedAtMs }) => passed.push(startedAtMs))
    for (let nth = 0; nth < 50; nth += 1) order.add(sample(-1_000 + nth, -900 + nth), first)
    passed.length = 0
    order.add(sample(40, 60), first)
    order.add(sample(10, 90), first)
    order.add(sample(0, 105), first)
    expect(passed).toEqual([])
    order.add(sample(100, 139), first)
    expect(passed).toEqual([10])
    order.add(sample(120, 140), first)
    expect(passed).toEqual([10, 40])
  })

  it('does not matter where nobody knows when they began', () => {
    const passed: number[] = []
    const order = new ArrivalOrder((_, { step }) => passed.push(step))
    order.add(sample(null, null), { ...first, step: 3 })
    expect(passed).toEqual([3])
  })
})
