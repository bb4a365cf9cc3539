import { describe, expect, it } from 'vitest'
import { seededRandom } from '@plimsoll/core/routing'
import { simulate } from '../simulate.js'
import type { SimulationResult } from '../simulation-result.js'
import type { Workload, WorkloadRequest } from '../workload.js'
import type { SimulatedScale } from './simulated-scale.js'

const MINUTE_MS = 60_000
const objectiveMs = 6_000
const node = { preset: '8b-a100', slowness: 6 } as const
const plan = {
  min: 1,
  max: 8,
  target: { ttftP95Ms: objectiveMs },
  upAfterMs: 20_000,
  downAfterMs: 300_000,
  cooldownMs: 10_000,
  idleMs: 600_000,
  schedule: [],
  triggers: [],
}
const follow: SimulatedScale = { kind: 'follow', plan, startMs: MINUTE_MS }

/** Twenty minutes of little, twenty of much, twenty of little. */
function hour(seed: number): Workload {
  function* requests(): Generator<WorkloadRequest> {
    const random = seededRandom(seed)
    for (let [atMs, id] = [0, 1]; atMs < 60 * MINUTE_MS; id++) {
      const perSecond = atMs > 20 * MINUTE_MS && atMs < 40 * MINUTE_MS ? 4 : 1
      atMs += (-1_000 * Math.log(1 - random.next())) / perSecond
      yield { atMs, prompt: [{ id, tokens: 500 + Math.floor(1_500 * random.next()) }], outputTokens: 50 + Math.floor(300 * random.next()) }
    }
  }
  return { name: 'an hour', starts: { [Symbol.iterator]: requests } }
}

function run(scale: SimulatedScale | undefined, nodes = 10): SimulationResult {
  return simulate({
    nodes: Array.from({ length: nodes }, () => node),
    workload: hour(1),
    strategy: { name: 'least-tokens' },
    pollMs: 1_000,
    warmupShare: 0,
    sloTtftMs: objectiveMs,
    ...(scale === undefined ? {} : { scale }),
  })
}

describe('nodes that come and go in virtual time', () => {
  it('follow the load: every request is answered, few are late, and it costs much less than the most that are needed', () => {
    const { scale, refused, cut, moved, sent, perNode, inObjectiveShare } = run(follow)
    expect([refused, cut, moved]).toEqual([0, 0, 0])
    expect(perNode.reduce((sum, { requests }) => sum + requests, 0)).toBe(sent)
    expect(inObjectiveShare).toBeGreaterThan(0.9)
    const most = Math.max(...(scale?.changes.map(({ to }) => to) ?? []))
    expect(scale?.nodeSeconds).toBeLessThan(0.75 * most * 3_600)
    expect(scale?.changes.at(-1)?.to).toBeLessThan(most)
    for (const { reason } of scale?.changes ?? []) expect(reason).not.toBe('')
  })

  it('are the same in every run', () => {
    expect(run(follow)).toEqual(run(follow))
  })

  it('come by a schedule in time, begun as long before as they take to start', () => {
    const ready = [
      { atMs: 0, nodes: 2 },
      { atMs: 19 * MINUTE_MS, nodes: 6 },
      { atMs: 42 * MINUTE_MS, nodes: 2 },
    ]
    const { scale, inObjectiveShare } = run({ kind: 'schedule', startMs: MINUTE_MS, ready })
    expect(inObjectiveShare).toBeGreaterThan(0.95)
    expect(scale?.changes.map(({ atMs, to }) => [atMs / MINUTE_MS, to])).toEqual([
      [18, 6],
      [42, 2],
    ])
    // Those that leave cost until they have ended their work.
    const least = 60 * (18 * 2 + 24 * 6 + 18 * 2)
    expect(scale?.nodeSeconds).toBeGreaterThanOrEqual(least)
    expect(scale?.nodeSeconds).toBeLessThan(least + 4 * 120)
  })

  it('are no fewer than one and no more than there are places', () => {
    for (const from of [0, 11, 1.5]) expect(() => run({ ...follow, from })).toThrow(/none of 1 to 10 nodes/)
    expect(() => run({ kind: 'schedule', startMs: -1, ready: [{ atMs: 0, nodes: 1 }] })).toThrow(/scale.startMs/)
  })

  it('are all there where nobody scales', () => {
    expect(run(undefined, 3)).not.toHaveProperty('scale')
  })
})
