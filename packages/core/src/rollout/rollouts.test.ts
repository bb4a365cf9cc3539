import { afterEach, describe, expect, it } from 'vitest'
import { asked, launched, planWith, ScriptedHouse } from './scripted-world.test.fixture.js'

const houses: ScriptedHouse[] = []
afterEach(() => {
  for (const house of houses.splice(0)) house.close()
})

function houseOf(...given: ConstructorParameters<typeof ScriptedHouse>): ScriptedHouse {
  const house = new ScriptedHouse(...given)
  houses.push(house)
  return house
}

/** Requests while time passes. */
function traffic(house: ScriptedHouse, canary: Parameters<ScriptedHouse['request']>[1] = {}): () => void {
  let turn = 0
  return () => {
    for (let count = 0; count < 6; count += 1) house.request((turn += 1), canary)
  }
}

const ended = ['promoted', 'rolled-back', 'aborted', 'failed'] as const

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
      house.canSleep = true
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

describe('a balancer that is killed in the middle', () => {
  it('is followed by one that goes on or goes back, whenever it was', async () => {
    for (const kind of ['rolling', 'canary', 'in-place', 'blue-green'] as const) {
      for (let atMs = 50; atMs < 8000; atMs += 1900) {
        const house = houseOf([launched('gpu', 2)], planWith({ kind, steps: [0.5, 1], keepOldMs: 500 }))
        await house.rollouts.start({ pool: 'demo', model: 'b' })
        await house.pass(atMs, traffic(house))
        house.kill()
        const { phase } = await house.until(ended, traffic(house))
        expect([kind, atMs, phase, house.kept === undefined]).toEqual([kind, atMs, phase, phase !== 'promoted'])
        expect(house.ids).toBe(phase === 'promoted' ? 'gpu-r2-0 gpu-r2-1' : 'gpu-0 gpu-1')
        house.close()
      }
    }
  })

  it('has what the one before it judged count where the old revision answers no more', async () => {
    const house = houseOf([launched('gpu', 1)], planWith({ kind: 'canary', steps: [0.5, 1] }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    const everyStep = traffic(house)
    for (let steps = 0; house.status.step < 2 && steps < 400; steps += 1) await house.pass(50, everyStep)
    await house.until(['holding'], everyStep)
    house.kill()
    expect(await house.until(ended, everyStep)).toMatchObject({ phase: 'promoted', judge: { baselineRequests: 0 } })
  })

  it('reverts what was begun and not written down as it runs', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    house.rollouts.stop()
    house.kept = { groups: [...(house.kept?.groups ?? []), launched('stranger', 1)] }
    house.begin()
    expect(await house.until(ended)).toMatchObject({ phase: 'rolled-back', reason: 'lb ended in the middle of a change' })
    expect(house.told).toContain('demo-1 reverts: what runs is not what was written down of it')
    expect(house.ids).toBe('gpu-0 gpu-1 gpu-2')
  })

  it('leaves a pool alone that was declared otherwise meanwhile', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    house.rollouts.stop()
    house.declared = { ...house.declared, groups: [launched('gpu', 2)] }
    house.kept = undefined
    house.begin()
    expect(house.status).toMatchObject({ phase: 'aborted', reason: 'the pool was declared otherwise: it runs as declared' })
  })
})

describe('a disk that is full', () => {
  it('stops nothing that serves, and the rollout goes back once it can write that down', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    house.isDiskFull = true
    await house.pass(10_000, traffic(house))
    expect(house.seen.fewest).toBe(3)
    house.isDiskFull = false
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'rolled-back' })
    expect(house.ids).toBe('gpu-0 gpu-1 gpu-2')
  })
})
