import { describe, expect, it } from 'vitest'
import type { AttemptRecord, RequestRecord } from '../contracts/index.js'
import { ended, houseMaker, traffic } from './houses.test.fixture.js'
import type { ScriptedHouse } from './scripted-world.test.fixture.js'
import { settledRecord } from './settled-record.test.fixture.js'

const houseOf = houseMaker()

const failed: AttemptRecord = { node: 'demo/gpu-r2-0', revision: 'r2', startedMs: 0, outcome: 'refused', status: 500 }
const answered: AttemptRecord = { node: 'demo/gpu-0', revision: 'r1', startedMs: 5, outcome: 'answered', status: 200 }
const named = (id: number, ...attempts: readonly AttemptRecord[]): RequestRecord => settledRecord(failed, { id: `x${id}`, attempts })

/** A canary that is judged, and nobody has asked it anything yet. */
async function judged(): Promise<{ house: ScriptedHouse; seen: () => number }> {
  const house = houseOf()
  await house.rollouts.start({ pool: 'demo', model: 'b', plan: { kind: 'canary', steps: [0.25, 1], holdMs: 60_000 } })
  await house.until(['holding'])
  return { house, seen: () => house.rollouts.compare('demo').canaryRequests }
}

describe('a request that waits for the old revision', () => {
  it('counts when the new one has failed it, and not once more when it ends', async () => {
    const { house, seen } = await judged()
    for (let id = 0; id < 3; id += 1) house.rollouts.sentBack(named(id, failed))
    expect(seen()).toBe(3)
    for (let id = 0; id < 3; id += 1) house.rollouts.settled(named(id, failed, answered))
    expect(seen()).toBe(3)
    house.rollouts.settled(named(9, failed, answered))
    expect(seen()).toBe(4)
  })

  it('counts at its end where nothing could be told before', async () => {
    const { house, seen } = await judged()
    house.rollouts.sentBack(named(1, { ...failed, busy: true }))
    expect(seen()).toBe(0)
    house.rollouts.settled(named(1, failed, answered))
    expect(seen()).toBe(1)
  })

  it('is enough to take the new one back: nobody has to be refused for that', async () => {
    const { house } = await judged()
    let id = 0
    const old = traffic(house, { outcome: 'cancelled' })
    const status = await house.until(ended, () => {
      old()
      house.rollouts.sentBack(named((id += 1), failed))
    })
    expect(status).toMatchObject({ phase: 'rolled-back', reason: expect.stringMatching(/^errors: 100 %/u) })
    expect(house.ids).toBe('gpu-0 gpu-1 gpu-2')
  })

  it('is nobody\u2019s business where no rollout runs', () => {
    const house = houseOf()
    expect(() => house.rollouts.sentBack({ ...named(1, failed), pool: null })).not.toThrow()
    expect(() => house.rollouts.sentBack(named(1, failed))).not.toThrow()
  })
})
