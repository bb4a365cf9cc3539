/** What people say to a rollout, in every phase of it, with a balancer that is killed right after. */
import { describe, expect, it } from 'vitest'
import { isLbError } from '../errors/index.js'
import { rolloutKinds } from '../topology/index.js'
import { ended, houseMaker, traffic } from './houses.test.fixture.js'
import type { RolloutVerb } from './rollout-wish.js'
import { launched, planWith, type ScriptedHouse } from './scripted-world.test.fixture.js'

const houseOf = houseMaker()
const old = 'gpu-0 gpu-1'
const fresh = 'gpu-r2-0 gpu-r2-1'

/** Where the phase does not allow it, nothing happens. */
async function say(house: ScriptedHouse, verb: RolloutVerb): Promise<boolean> {
  try {
    await house.rollouts.act('demo', verb)
    return true
  } catch (error) {
    expect(isLbError(error) && error.code).toBe('LB_ROLLOUT_REFUSED')
    return false
  }
}

describe.each(rolloutKinds)('%s', { timeout: 60_000 }, (kind) => {
  const steps = kind === 'split' || kind === 'shadow' ? [0.5] : [0.5, 1]
  const begin = async (atMs: number): Promise<ScriptedHouse> => {
    const house = houseOf([launched('gpu', 2)], planWith({ kind, steps, holdMs: 300, keepOldMs: 100 }))
    Object.assign(house.nodes, { drainMs: 100 })
    house.fate.loadMs = 100
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.pass(atMs, traffic(house))
    return house
  }
  const moments = Array.from({ length: 14 }, (_, index) => index * 100)

  it.each([false, true])('is taken back from wherever it is; killed: %s', async (isKilled) => {
    for (const atMs of moments) {
      const house = await begin(atMs)
      const isSaid = await say(house, 'abort')
      if (isKilled) house.kill()
      const { phase } = await house.until(ended, traffic(house))
      expect([atMs, phase, house.ids]).toEqual(isSaid ? [atMs, 'aborted', old] : [atMs, 'promoted', fresh])
      expect([house.pool.split, house.pool.wake, isSaid && house.kept]).toEqual([undefined, undefined, isSaid ? undefined : false])
    }
  })

  it.each([false, true])('goes live at once from wherever it is, also from a pause; killed: %s', async (isKilled) => {
    for (const [index, atMs] of moments.entries()) {
      const house = await begin(atMs)
      const isPaused = index % 2 === 0 && (await say(house, 'pause'))
      if (isPaused && isKilled) house.kill()
      if (isPaused) await house.pass(500, traffic(house))
      if (isPaused) expect([atMs, house.status.phase]).toEqual([atMs, 'paused'])
      const isSaid = await say(house, 'promote')
      if (isKilled) house.kill()
      if (!isSaid && (kind === 'split' || kind === 'shadow')) continue
      const { phase } = await house.until(ended)
      expect([atMs, phase, house.ids, house.pool.split]).toEqual([
        atMs,
        isSaid ? 'promoted' : phase,
        phase === 'promoted' ? fresh : old,
        undefined,
      ])
    }
  })

  it('asks a person where it was told to, and does as that one says', async () => {
    for (const verb of ['abort', 'promote', 'resume'] as const) {
      const house = houseOf([launched('gpu', 2)], planWith({ kind, steps, holdMs: 300, keepOldMs: 100, rollback: 'ask' }))
      house.fate.contextTokens = 2048
      await house.rollouts.start({ pool: 'demo', model: 'b' })
      await house.until(['asking'], traffic(house))
      house.kill()
      await house.pass(500, traffic(house))
      expect(house.status.phase).toBe('asking')
      expect(await say(house, verb)).toBe(true)
      if (verb === 'resume') {
        await house.until(['asking'], traffic(house))
        expect(await say(house, 'abort')).toBe(true)
      }
      const { phase } = await house.until(ended)
      expect([verb, phase, house.ids]).toEqual([verb, ...(verb === 'promote' ? ['promoted', fresh] : ['aborted', old])])
    }
  })
})
