import { describe, expect, it } from 'vitest'
import { ended, houseMaker, traffic } from './houses.test.fixture.js'
import { asked } from './scripted-engine.test.fixture.js'
import { launched, planWith } from './scripted-world.test.fixture.js'

const houseOf = houseMaker()

describe('other kinds', () => {
  it('in-place: one place at a time, the requests of the only one wait, and nothing runs beside it', async () => {
    const house = houseOf([launched('gpu', 1)], planWith({ kind: 'in-place' }))
    house.room = 1
    const wakes = new Set<number | undefined>()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const everyStep = traffic(house)
    expect(
      await house.until(ended, () => {
        everyStep()
        wakes.add(house.pool.wake?.withinMs)
      }),
    ).toMatchObject({ phase: 'promoted' })
    expect(house.seen).toEqual({ fewest: 0, most: 1 })
    expect([...wakes]).toEqual([undefined, 600_000])
    expect(house.pool.wake).toBeUndefined()
  })

  it('in-place is what the planner takes where there is no room, and it says why', async () => {
    const { kind: _, ...plan } = planWith()
    const house = houseOf([launched('gpu', 1)], plan)
    house.room = 1
    expect(await house.rollouts.start({ pool: 'demo', model: 'b' })).toMatchObject({ kind: 'in-place' })
    expect(house.status.events[0]?.message).toBe('in-place, because there is no room for one more: GPU 0 is taken')
  })

  it('in-place is restored where the new one does not load: it ends before the old one begins', async () => {
    const house = houseOf([launched('gpu', 1)], planWith({ kind: 'in-place' }))
    Object.assign(house.fate, { fails: 'out of memory' })
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'rolled-back', reason: 'demo/gpu-r2 failed: out of memory' })
    expect(house.seen.most).toBe(1)
    expect([house.ids, house.kept]).toEqual(['gpu', undefined])
  })

  it('in-place: an engine that can sleep sleeps until its successor is judged, and is woken where that one is no good', async () => {
    for (const [fate, phase, ids] of [
      [{}, 'promoted', 'gpu-r2'],
      [{ contextTokens: 2048 }, 'rolled-back', 'gpu'],
    ] as const) {
      const house = houseOf([launched('gpu', 1)], planWith({ kind: 'in-place' }))
      house.nodes.canSleep = true
      Object.assign(house.fate, fate)
      await house.rollouts.start({ pool: 'demo', model: 'b' })
      const seen = new Set<string>()
      const everyStep = traffic(house)
      const status = await house.until(ended, () => {
        everyStep()
        seen.add(house.ids)
      })
      expect(status.phase).toBe(phase)
      expect([...seen]).toContain('gpu gpu-r2')
      expect([house.ids, house.pool.wake]).toEqual([ids, undefined])
    }
  })

  it('what has no room is refused with the reason, and changes nothing', async () => {
    const house = houseOf([launched()], planWith({ kind: 'blue-green' }))
    house.room = 4
    await expect(house.rollouts.start({ pool: 'demo', model: 'b' })).rejects.toMatchObject({
      code: 'LB_ROLLOUT_IMPOSSIBLE',
      httpStatus: 422,
      message: 'pool demo cannot be rolled out as blue-green: a second set of nodes has no room: 1 more would have: GPU 0 is taken',
    })
    expect(house.rollouts.list()).toEqual([])
  })

  it('blue-green: one switch between two full sets, the old one is kept for a while', async () => {
    const house = houseOf([launched()], planWith({ kind: 'blue-green', keepOldMs: 3000 }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const shares = new Set<number | undefined>()
    const everyStep = traffic(house)
    await house.until(ended, () => {
      everyStep()
      shares.add(house.pool.split?.sides[1]?.share)
    })
    expect([...shares]).toEqual([undefined, 0, 1])
    expect(house.seen).toEqual({ fewest: 3, most: 6 })
    expect(house.status.phase).toBe('promoted')
  })

  it('split and shadow stay until somebody says how it ends', async () => {
    for (const kind of ['split', 'shadow'] as const) {
      const house = houseOf([launched()], planWith({ kind, steps: [0.3] }))
      await house.rollouts.start({ pool: 'demo', model: 'b' })
      await house.until(['holding'], traffic(house))
      await house.pass(10_000, traffic(house))
      expect(house.status).toMatchObject({ phase: 'holding', share: kind === 'split' ? 0.3 : 0, stepEndsAtMs: null })
      expect(house.pool.split).toMatchObject({
        sticky: kind === 'split',
        ...(kind === 'shadow' ? { shadow: { revision: 'r2', share: 0.3 } } : {}),
      })
      await house.rollouts.act('demo', kind === 'split' ? 'promote' : 'abort')
      expect(await house.until(ended)).toMatchObject({ phase: kind === 'split' ? 'promoted' : 'aborted' })
      expect(house.seen).toEqual({ fewest: 3, most: 4 })
    }
  })

  it('traffic moves between two attached groups, and nothing else does', async () => {
    const attached = (name: string) => ({ name, engine: 'script', weight: 1, attach: { url: `http://${name}` } })
    const house = houseOf([attached('old'), attached('new')], planWith({ kind: 'canary', steps: [0.5, 1] }))
    await house.rollouts.start({ pool: 'demo', group: 'old', to: 'new' })
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'promoted', steps: [0.5, 1] })
    expect(house.ids).toBe('new')
    expect(house.seen).toEqual({ fewest: 1, most: 2 })
    await house.rollouts.act('demo', 'undo')
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'promoted', from: { revision: 'r2' }, to: { revision: 'r1' } })
    expect(house.ids).toBe('old')
  })

  it('a server that keeps its models gets the new one before any request does, and lets go of the old one in the end', async () => {
    asked.length = 0
    const house = houseOf(
      [{ name: 'far', engine: 'script', weight: 1, model: 'a', attach: { url: 'http://far' } }],
      planWith({ kind: 'canary' }),
    )
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const status = await house.until(ended, traffic(house))
    expect(status).toMatchObject({ phase: 'promoted', from: { model: 'a' }, to: { model: 'b' } })
    expect(asked).toEqual(['pull b', 'load b', 'unload a'])
    expect(house.pool.groups).toMatchObject([{ name: 'far-r2', model: 'b', attach: { url: 'http://far' }, revisionOf: 'far' }])
    expect(house.seen).toEqual({ fewest: 1, most: 2 })
  })

  it('a group beside it keeps its nodes, and its requests are none of the comparison', async () => {
    const house = houseOf([launched('gpu', 2), launched('cpu', 1)])
    await house.rollouts.start({ pool: 'demo', group: 'gpu', model: 'b' })
    expect(house.status.from.nodes).toEqual(['demo/gpu-0', 'demo/gpu-1'])
    await house.until(ended, traffic(house))
    expect(house.ids).toBe('gpu-r2-0 gpu-r2-1 cpu')
    expect(house.pool.groups[1]).toEqual(launched('cpu', 1))
  })
})
