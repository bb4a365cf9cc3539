import { describe, expect, it } from 'vitest'
import type { JudgeSample } from './judge-sample.js'
import { LoadRatio } from './load-ratio.js'

function told(load: LoadRatio, requests: Readonly<Record<string, number>>, step = 1): LoadRatio {
  for (const [node, count] of Object.entries(requests)) {
    const side = node.startsWith('new') ? 'canary' : 'baseline'
    for (let nth = 0; nth < count; nth += 1) load.add({ side, node } as JudgeSample, step)
  }
  return load
}

describe('the load of new nodes beside old ones', () => {
  it('is more where fewer of them have as many requests', () => {
    expect(
      Math.exp(told(new LoadRatio(), { 'new-0': 2_500, 'new-1': 2_500, 'old-0': 1_666, 'old-1': 1_666, 'old-2': 1_667 }).log),
    ).toBeCloseTo(1.5, 1)
  })

  it('is none where they have as much or less to do, or few requests tell', () => {
    expect(told(new LoadRatio(), { 'new-0': 50, 'old-0': 500, 'old-1': 450 }).log).toBe(0)
    expect(told(new LoadRatio(), { 'new-0': 100, 'old-0': 100 }).log).toBe(0)
    expect(told(new LoadRatio(), { 'new-0': 9, 'old-0': 9, 'old-1': 9 }).log).toBe(0)
  })

  it('is that of the newest step', () => {
    const load = told(told(new LoadRatio(), { 'new-0': 900, 'old-0': 100 }), { 'new-0': 100, 'old-0': 100 }, 2)
    expect(told(load, { 'new-0': 900 }, 1).log).toBe(0)
  })
})
