import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ended, houseMaker, traffic } from './houses.test.fixture.js'
import { launched, planWith } from './scripted-world.test.fixture.js'

const houseOf = houseMaker()
const failing = { outcome: 'refused', status: 500 } as const
const half = { kind: 'canary', steps: [0.5, 1], holdMs: 60_000 } as const

describe('what the judge of a rollout has seen', () => {
  it('counts on under the next balancer, and is gone when the rollout is over', async () => {
    const house = houseOf([launched()], planWith(half))
    const file = join(house.stateDir, 'rollout-evidence', 'demo.json')
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    await house.pass(2_000, traffic(house))
    const before = house.status.judge
    expect(before?.canaryRequests).toBeGreaterThan(50)
    house.kill()
    await house.pass(200)
    expect(house.status.judge).toMatchObject({ canaryRequests: before?.canaryRequests, baselineRequests: before?.baselineRequests })
    expect(existsSync(file)).toBe(true)
    await house.until(ended, traffic(house, failing))
    expect(house.status).toMatchObject({ phase: 'rolled-back', reason: expect.stringContaining('errors') })
    expect(existsSync(file)).toBe(false)
  })

  it('is not held against a revision that somebody lets go on, also where another balancer was killed in between', async () => {
    const house = houseOf([launched()], planWith({ ...half, holdMs: 2_000, rollback: 'ask' }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['asking'], traffic(house, failing))
    house.kill()
    await house.pass(200, traffic(house))
    expect(house.status.phase).toBe('asking')
    await house.rollouts.act('demo', 'resume')
    expect(await house.until(['asking', ...ended], traffic(house))).toMatchObject({ phase: 'promoted' })
  })

  it('is begun anew where its file is torn, and nothing else is lost', async () => {
    const house = houseOf([launched()], planWith({ ...half, holdMs: 3_000 }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    await house.pass(1_000, traffic(house))
    house.rollouts.stop()
    writeFileSync(join(house.stateDir, 'rollout-evidence', 'demo.json'), '{"v":1,"id":"demo-1","judge":{"requests":{"can')
    house.begin()
    expect(house.status.judge?.canaryRequests ?? 0).toBeLessThan(10)
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'promoted' })
    expect(readdirSync(join(house.stateDir, 'rollout-evidence'))).toEqual([])
  })
})
