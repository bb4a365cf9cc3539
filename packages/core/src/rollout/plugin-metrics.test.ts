import { afterEach, describe, expect, it } from 'vitest'
import type { MetricPlugin, MetricQuestion } from '../contracts/index.js'
import { launched, planWith, ScriptedHouse } from './scripted-world.test.fixture.js'

const houses: ScriptedHouse[] = []
afterEach(() => {
  for (const house of houses.splice(0)) house.close()
})

const metrics = [{ name: 'stars', plugin: 'stars', everyMs: 200, min: 4, failures: 1 }]
const ended = ['promoted', 'rolled-back', 'aborted', 'failed'] as const

/** A house whose rollouts are judged by a metric that tells this; undefined: nobody brings it. */
function houseWith(evaluate: MetricPlugin['evaluate'] | undefined, holdMs = 1_000): ScriptedHouse {
  const house = new ScriptedHouse([launched()], planWith({ kind: 'canary', steps: [0.5, 1], holdMs }, { metrics }))
  houses.push(house)
  if (evaluate !== undefined) house.metrics.set('stars', { name: 'stars', summary: 'for tests', settings: {}, evaluate })
  return house
}

/** Requests while time passes. */
function traffic(house: ScriptedHouse): () => void {
  let turn = 0
  return () => {
    for (let count = 0; count < 6; count += 1) house.request((turn += 1))
  }
}

describe('a metric of a plugin', () => {
  it('takes back what is outside of its limits, is shown what both sides did, and stands in the figures', async () => {
    const seen: MetricQuestion[] = []
    const house = houseWith((question) => {
      seen.push(question)
      if (question.samples.length < 10) return null
      return question.side === 'new' ? 3 : 5
    }, 5_000)
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const status = await house.until(ended, traffic(house))
    expect(status).toMatchObject({ phase: 'rolled-back', reason: 'stars: is 3 (at least 4, 2 bad answers and 1 are borne)' })
    expect(status.judge?.figures.at(-1)).toMatchObject({ name: 'stars', canary: 3, baseline: 5, verdict: 'bad' })
    const last = seen.findLast(({ side }) => side === 'new')
    expect(last).toMatchObject({ pool: 'demo', revision: 'r2', settings: {} })
    expect(last?.samples[0]).toMatchObject({ node: 'demo/gpu-r2-0', failed: false, ttftMs: 100, completionTokens: 20 })
    expect(last?.toMs).toBeGreaterThan(last?.fromMs ?? Infinity)
  })

  it('that is within its limits lets the revision live', async () => {
    const house = houseWith(() => Promise.resolve(4.5))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'promoted' })
  })

  it('takes back a rollout that ends before it has told a number', async () => {
    const house = houseWith(() => null)
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'rolled-back', reason: 'stars: no number was told' })
  })

  it('that this balancer has not is refused before anything begins', async () => {
    const house = houseWith(undefined)
    await expect(house.rollouts.start({ pool: 'demo', model: 'b' })).rejects.toMatchObject({
      code: 'LB_ROLLOUT_REFUSED',
      message: 'this balancer has no metric `stars`',
    })
    expect(house.rollouts.list()).toEqual([])
  })
})
