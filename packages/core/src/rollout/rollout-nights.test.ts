/** What may happen to a rollout while nobody looks. */
import { describe, expect, it } from 'vitest'
import { ended, houseMaker, traffic } from './houses.test.fixture.js'
import { launched, planWith } from './scripted-world.test.fixture.js'
import { asked, engine } from './scripted-engine.test.fixture.js'

const houseOf = houseMaker()

describe('a pool whose nodes are all down', () => {
  it('goes live with what serves: there is nothing to compare with, and that is said', async () => {
    for (const kind of ['canary', 'rolling', 'in-place'] as const) {
      const house = houseOf([launched('gpu', 2)], planWith({ kind, steps: [0.5, 1] }))
      for (const id of ['demo/gpu-0', 'demo/gpu-1']) house.fail(id, 'crashed')
      await house.rollouts.start({ pool: 'demo', model: 'b' })
      expect(house.status.events[0]?.message).toMatch(/^no node of r1 serves/)
      expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'promoted' })
    }
  })

  it('is rolled back to what it was where the new revision is no better', async () => {
    const house = houseOf()
    for (const id of ['demo/gpu-0', 'demo/gpu-1', 'demo/gpu-2']) house.fail(id, 'crashed')
    house.fate.fails = 'crashed too'
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'rolled-back', reason: 'demo/gpu-r2-0 failed: crashed too' })
  })
})

describe('the number of nodes', () => {
  const scale = { min: 0, max: 8 } as never
  const scaled = (slots: readonly number[], more: object = {}) => {
    const group = launched('gpu', 8)
    return { ...group, launch: { ...group.launch, slots, scale, ...more } as NonNullable<typeof group.launch> }
  }

  it('is that of the load, also where the wished group may have more', async () => {
    const house = houseOf([scaled([0, 2, 5])], planWith({ kind: 'canary', steps: [0.5, 1] }))
    await house.rollouts.start({ pool: 'demo', groups: [scaled([0], { replicas: 10, model: 'b', scale: { min: 1, max: 10 } })] })
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'promoted' })
    expect(house.ids).toBe('gpu-r2-0 gpu-r2-2 gpu-r2-5')
    expect(house.seen).toEqual({ fewest: 3, most: 4 })
  })

  it('is none where nobody asks: then nothing can be judged, and how to wake one is said', async () => {
    const house = houseOf([scaled([])], planWith({ kind: 'canary' }))
    await expect(house.rollouts.start({ pool: 'demo', model: 'b' })).rejects.toMatchObject({
      code: 'LB_ROLLOUT_REFUSED',
      hint: 'wake one by a request: lb ask --model m hello',
    })
  })

  it('that was changed while a rollout was planned is told, and nothing has begun', async () => {
    const house = houseOf()
    const starting = house.rollouts.start({ pool: 'demo', model: 'b' })
    house.declared = { ...house.declared, groups: [launched('gpu', 2)] }
    await expect(starting).rejects.toMatchObject({ code: 'LB_ROLLOUT_REFUSED', hint: 'try again' })
    expect(house.rollouts.list()).toEqual([])
  })

  it('is never reached by a node that another group has', async () => {
    const house = houseOf([launched('gpu', 2), launched('gpu-r2-1', 1)])
    await expect(house.rollouts.start({ pool: 'demo', group: 'gpu', model: 'b' })).rejects.toMatchObject({
      message: 'pool demo already has a node group gpu-r2-1',
    })
  })
})

describe('a pool that is declared otherwise', () => {
  it('runs as declared: the rollout is over, and says so', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    house.declared = { ...house.declared, groups: [launched('other', 2)] }
    house.kept = undefined
    expect(await house.until(ended)).toMatchObject({ phase: 'aborted', reason: expect.stringContaining('declared otherwise') as string })
    expect(house.pool.groups).toEqual([launched('other', 2)])
  })

  it('by somebody who leaves its requests parted is brought together again', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    const { groups, split } = house.pool
    house.kept = { groups: groups.map((group) => ({ ...group, weight: 2 })), ...(split === undefined ? {} : { split }) }
    expect(await house.until(ended)).toMatchObject({ phase: 'rolled-back', reason: 'somebody else changed the pool meanwhile' })
    expect([house.pool.split, house.ids]).toEqual([undefined, 'gpu-0 gpu-1 gpu-2'])
  })
})

it('a model that the file says by now stays in the memory of its server, although its rollout is over', async () => {
  const far = (model: string) => ({ name: 'far', engine: 'script', weight: 1, model, attach: { url: 'http://far' } })
  const house = houseOf([far('a')], planWith({ kind: 'canary', steps: [0.5, 1] }))
  await house.rollouts.start({ pool: 'demo', model: 'b' })
  await house.until(['holding'], traffic(house))
  asked.length = 0
  house.declared = { ...house.declared, groups: [far('b')] }
  house.kept = undefined
  await house.until(['aborted'])
  await house.pass(500)
  expect(asked).toEqual([])
})

describe('what takes long', () => {
  it('is no standstill while requests on an old node have their time to end', async () => {
    const house = houseOf([launched('gpu', 2)], planWith({ progressMs: 5000 }))
    house.declared = { ...house.declared, drainMs: 60_000 }
    house.nodes.drainMs = 30_000
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'promoted', reason: 'r2 has all of the traffic' })
  })

  it('is one where weights come no further: nothing was changed', async () => {
    const house = houseOf(
      [{ name: 'far', engine: 'script', weight: 1, model: 'a', attach: { url: 'http://far' } }],
      planWith({ kind: 'canary', progressMs: 5000 }),
    )
    const { models } = engine.createBackend({ id: '', url: '', models: [], settings: {}, model: 'x' }, undefined as never)
    const load = models?.load
    Object.assign(models ?? {}, { load: () => new Promise(() => undefined) })
    try {
      await house.rollouts.start({ pool: 'demo', model: 'b' })
      expect(await house.until(ended)).toMatchObject({ phase: 'rolled-back', reason: 'nothing moves any more: loads b' })
      expect(house.ids).toBe('far')
    } finally {
      Object.assign(models ?? {}, { load })
    }
  })
})

describe('groups that stand', () => {
  const attached = (name: string) => ({ name, engine: 'script', weight: 1, attach: { url: `http://${name}` } })

  it('go back at once, whether servers of somebody else are there or not', async () => {
    const house = houseOf([attached('old'), attached('new')], planWith({ kind: 'canary', steps: [0.5, 1], progressMs: 5000 }))
    await house.rollouts.start({ pool: 'demo', group: 'old', to: 'new' })
    await house.until(['holding'], traffic(house))
    house.fail('demo/old', 'switched off')
    await house.rollouts.act('demo', 'abort')
    expect(await house.until(ended)).toMatchObject({ phase: 'aborted' })
    expect([house.ids, house.kept]).toEqual(['old new', undefined])
  })

  it('come back by name once their traffic has moved away', async () => {
    const house = houseOf([attached('old'), attached('new')], planWith({ kind: 'canary', steps: [0.5, 1] }))
    await house.rollouts.start({ pool: 'demo', group: 'old', to: 'new' })
    await house.until(ended, traffic(house))
    await house.rollouts.start({ pool: 'demo', to: 'old' })
    expect(await house.until(ended, traffic(house))).toMatchObject({ id: 'demo-2', phase: 'promoted' })
    expect(house.ids).toBe('old')
  })
})

describe('an undo', () => {
  it('takes back all node groups that went live together, and is itself undone', async () => {
    const house = houseOf([launched('gpu', 2), launched('cpu', 1)])
    const next = (name: string, replicas: number) => {
      const group = launched(name, replicas)
      return { ...group, launch: { ...group.launch, model: 'b' } as NonNullable<typeof group.launch> }
    }
    await house.rollouts.start({ pool: 'demo', groups: [next('gpu', 2), next('cpu', 1)] })
    expect(await house.until(ended, traffic(house))).toMatchObject({
      phase: 'promoted',
      groups: [
        { group: 'gpu', from: 'r1', to: 'r3' },
        { group: 'cpu', from: 'r2', to: 'r4' },
      ],
    })
    expect(house.ids).toBe('gpu-r3-0 gpu-r3-1 cpu-r4')
    await house.rollouts.act('demo', 'undo')
    await house.until(ended, traffic(house))
    expect([house.ids, house.kept]).toEqual(['gpu-0 gpu-1 cpu', undefined])
    await house.rollouts.act('demo', 'undo')
    await house.until(ended, traffic(house))
    expect(house.ids).toBe('gpu-r3-0 gpu-r3-1 cpu-r4')
  })
})

describe('a hundred nights', () => {
  it('leave a history that is bounded, and numbers that go on', async () => {
    const house = houseOf([launched('gpu', 1)])
    for (let night = 1; night <= 120; night += 1) {
      await house.rollouts.start({ pool: 'demo', model: `m${night}` })
      await house.rollouts.act('demo', 'abort')
      await house.pass(50)
    }
    house.kill()
    expect([house.rollouts.list().length, house.status.id, house.rollouts.revisions('demo').length]).toEqual([100, 'demo-120', 50])
    expect((await house.rollouts.start({ pool: 'demo', model: 'next' })).id).toBe('demo-121')
  })
})
