import { describe, expect, it } from 'vitest'
import { ended, houseMaker, traffic } from './houses.test.fixture.js'
import { launched, planWith } from './scripted-world.test.fixture.js'

const houseOf = houseMaker()

describe('a rolling update', () => {
  it('goes live node by node and is never short of one; the new group stands in the place of the old one', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const status = await house.until(ended, traffic(house))
    expect(status).toMatchObject({
      id: 'demo-1',
      phase: 'promoted',
      from: { revision: 'r1', model: 'a' },
      to: { revision: 'r2', model: 'b' },
      share: 1,
    })
    expect(house.seen).toEqual({ fewest: 3, most: 4 })
    expect(house.ids).toBe('gpu-r2-0 gpu-r2-1 gpu-r2-2')
    expect(house.pool.split).toBeUndefined()
    expect(house.pool.groups).toMatchObject([{ name: 'gpu-r2', revision: 'r2', revisionOf: 'gpu', launch: { model: 'b' } }])
    expect(house.rollouts.revisions('demo')).toMatchObject([
      { revision: 'r2', model: 'b', isRunning: true, outcome: 'promoted' },
      { revision: 'r1', model: 'a', isRunning: false, outcome: null },
    ])
  })

  it('is undone by a rollout to the very groups that were declared', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(ended, traffic(house))
    await house.rollouts.act('demo', 'undo')
    const status = await house.until(ended, traffic(house))
    expect(status).toMatchObject({ id: 'demo-2', phase: 'promoted', from: { revision: 'r2' }, to: { revision: 'r1' } })
    expect(house.kept).toBeUndefined()
    expect(house.ids).toBe('gpu-0 gpu-1 gpu-2')
  })

  it('goes back at once where a new node fails, with the reason', async () => {
    const house = houseOf()
    Object.assign(house.fate, { fails: 'ended with code 1: no such file' })
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const status = await house.until(ended, traffic(house))
    expect(status).toMatchObject({ phase: 'rolled-back', reason: 'demo/gpu-r2-0 failed: ended with code 1: no such file', share: 0 })
    expect(house.kept).toBeUndefined()
    expect(house.pool.groups).toEqual([launched()])
    expect(house.ids).toBe('gpu-0 gpu-1 gpu-2')
  })

  it('goes back where a new node serves another model, or has less context than the old ones', async () => {
    for (const [fate, reason] of [
      [{ models: ['other'] }, 'demo/gpu-r2-0 serves other, and not m'],
      [{ contextTokens: 2048 }, 'demo/gpu-r2-0 takes 2048 tokens of context, the old revision 4096'],
    ] as const) {
      const house = houseOf()
      Object.assign(house.fate, fate)
      await house.rollouts.start({ pool: 'demo', model: 'b' })
      expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'rolled-back', reason })
    }
  })

  it('goes back where nothing moves any more', async () => {
    const house = houseOf([launched()], planWith({ progressMs: 5000 }))
    house.fate.loadMs = Infinity
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const status = await house.until(ended, traffic(house))
    expect(status).toMatchObject({ phase: 'rolled-back', reason: 'nothing moves any more: demo/gpu-r2-0 is starting' })
  })

  it('goes back where nobody asked anything: no data is a failure', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    expect(await house.until(ended)).toMatchObject({ phase: 'rolled-back', reason: expect.stringContaining('too few requests') as string })
  })
})

describe('both sides of a rollout', () => {
  it('are told from its beginning on, and of a pool without one there are none', async () => {
    const house = houseOf()
    expect(() => house.rollouts.compare('demo')).toThrow(/no rollout runs in pool demo/)
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    expect(house.rollouts.compare('demo')).toMatchObject({ verdict: 'undecided', canaryRequests: 0, figures: [] })
    await house.until(ended, traffic(house))
    expect(house.rollouts.compare('demo').canaryRequests).toBeGreaterThan(0)
  })

  it('are no node groups that the pool does not have: the name that was probably meant is told', async () => {
    const house = houseOf()
    const unknown = { code: 'LB_UNKNOWN_GROUP', hint: expect.stringMatching(/^did you mean gpu\?/) as string }
    await expect(house.rollouts.start({ pool: 'demo', model: 'b', group: 'gup' })).rejects.toMatchObject(unknown)
    await expect(house.rollouts.start({ pool: 'demo', to: 'gpus' })).rejects.toMatchObject(unknown)
  })
})

describe('the judge of a canary', () => {
  it('takes it back, and nothing of the old revision was stopped', async () => {
    const house = houseOf([launched()], planWith({ kind: 'canary', steps: [0.2, 1], holdMs: 60_000 }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const status = await house.until(ended, traffic(house, { outcome: 'refused', status: 500 }))
    expect(status).toMatchObject({ phase: 'rolled-back', step: 1, judge: { verdict: 'bad' } })
    expect(status.judge?.canaryRequests).toBeLessThan(51)
    expect(house.seen).toEqual({ fewest: 3, most: 4 })
    expect(status.events.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^r1 is back as it was/))
  })

  it('asks where it was told to ask, takes the new revision out of the traffic meanwhile, and does what is then said', async () => {
    const house = houseOf([launched()], planWith({ kind: 'canary', steps: [0.2, 1], holdMs: 60_000, rollback: 'ask' }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const asking = await house.until(['asking'], traffic(house, { outcome: 'refused', status: 500 }))
    expect(asking).toMatchObject({ share: 0, to: { nodes: ['demo/gpu-r2-0'] } })
    await house.pass(1000)
    expect(house.pool.split?.sides).toMatchObject([{ share: 1 }, { share: 0 }])
    await house.rollouts.act('demo', 'promote')
    expect(await house.until(ended)).toMatchObject({ phase: 'promoted' })
  })

  it('keeps its share, and says so, where too few old nodes are left to do without it', async () => {
    const house = houseOf([launched()], planWith({ kind: 'canary', steps: [0.5, 1], holdMs: 60_000, rollback: 'ask' }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    const asking = await house.until(['asking'], traffic(house, { outcome: 'refused', status: 500 }))
    await house.pass(1000)
    expect(house.pool.split?.sides).toMatchObject([{ share: 1 - asking.share }, { share: asking.share }])
    expect(asking).toMatchObject({ from: { nodes: expect.toSatisfy((nodes: string[]) => nodes.length < 3) as string[] }, share: 0.5 })
  })

  it('leaves it to a person whether less context will do, however long that takes', async () => {
    const house = houseOf([launched()], planWith({ rollback: 'ask', progressMs: 5000 }))
    house.fate.contextTokens = 2048
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['asking'], traffic(house))
    await house.pass(20_000, traffic(house))
    await house.rollouts.act('demo', 'promote')
    expect(await house.until(ended)).toMatchObject({ phase: 'promoted' })
  })

  it('says nothing while a person has paused it, but is heard', async () => {
    const house = houseOf([launched()], planWith({ kind: 'canary', steps: [0.2, 1] }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    await house.rollouts.act('demo', 'pause')
    await house.pass(20_000, traffic(house))
    expect(house.status).toMatchObject({ phase: 'paused', step: 1 })
    await house.pass(10_000, traffic(house, { outcome: 'refused', status: 500 }))
    expect(house.status).toMatchObject({ phase: 'rolled-back' })
  })
})

describe('what people may do', () => {
  it('is one rollout at a time in a pool, and nothing where there is none', async () => {
    const house = houseOf()
    await expect(house.rollouts.act('demo', 'pause')).rejects.toMatchObject({ code: 'LB_NO_ROLLOUT' })
    await expect(house.rollouts.start({ pool: 'demo', model: 'a' })).rejects.toMatchObject({ code: 'LB_ROLLOUT_REFUSED' })
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await expect(house.rollouts.start({ pool: 'demo', model: 'c' })).rejects.toMatchObject({ code: 'LB_ROLLOUT_REFUSED', httpStatus: 409 })
  })

  it('is abort at any time: before anything has changed, nothing is', async () => {
    for (const waitMs of [0, 500, 2000, 4000]) {
      const house = houseOf()
      await house.rollouts.start({ pool: 'demo', model: 'b' })
      await house.pass(waitMs, traffic(house))
      await house.rollouts.act('demo', 'abort')
      expect(await house.until(ended)).toMatchObject({ phase: 'aborted', reason: 'somebody took it back' })
      expect([house.ids, house.kept]).toEqual(['gpu-0 gpu-1 gpu-2', undefined])
      await house.pass(1000)
      expect(house.clock.pending).toBe(0)
    }
  })

  it('tells webhooks each phase', async () => {
    const house = houseOf([launched()], planWith({ webhooks: ['http://hook'] }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(ended, traffic(house))
    const phases = house.hooks.map(({ status }) => status.phase)
    expect([phases[0], phases.at(-1)]).toEqual(['stepping', 'promoted'])
    expect(house.hooks.every(({ url }) => url === 'http://hook')).toBe(true)
  })
})
