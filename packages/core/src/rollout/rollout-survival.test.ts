import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ended, houseMaker, traffic } from './houses.test.fixture.js'
import { launched, planWith } from './scripted-world.test.fixture.js'

const houseOf = houseMaker()

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
    const { phase, judge } = await house.until(ended, everyStep)
    expect([phase, (judge?.baselineRequests ?? 0) > 0]).toEqual(['promoted', true])
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

describe('a balancer that is killed at any moment', { timeout: 60_000 }, () => {
  it.each(['rolling', 'canary', 'in-place', 'blue-green'] as const)('leaves the next one a %s that comes to its end', async (kind) => {
    const run = async (killAt: number, canary: Parameters<typeof traffic>[1] = {}) => {
      const house = houseOf([launched('gpu', 2)], planWith({ kind, steps: [0.5, 1], holdMs: 300, keepOldMs: 100 }))
      Object.assign(house.nodes, { loadMs: 100, drainMs: 100 })
      house.fate.loadMs = 100
      house.killAt = killAt
      await house.rollouts.start({ pool: 'demo', model: 'b' })
      const { phase } = await house.until(ended, traffic(house, canary))
      await house.pass(200)
      return { house, phase, told: house.told.join('; ') }
    }
    for (const canary of [{}, { outcome: 'refused', status: 500 }] as const) {
      const { house: whole } = await run(Infinity, canary)
      expect(whole.moments).toBeGreaterThan(8)
      for (let killAt = 1; killAt <= whole.moments; killAt += 1) {
        const { house, phase, told } = await run(killAt, canary)
        expect([killAt, phase, house.pool.split, house.pool.wake, told]).toEqual([killAt, phase, undefined, undefined, told])
        expect([killAt, phase, house.ids]).toEqual([killAt, phase, phase === 'promoted' ? 'gpu-r2-0 gpu-r2-1' : 'gpu-0 gpu-1'])
        if (kind !== 'in-place') expect([killAt, house.seen.fewest]).toEqual([killAt, 2])
        if (kind === 'in-place') expect([killAt, house.seen.most]).toEqual([killAt, 2])
      }
    }
  })

  it('while it takes a rollout back: the old revision is back all the same', async () => {
    const run = async (killAt: number) => {
      const house = houseOf([launched('gpu', 2)], planWith({ kind: 'canary', steps: [0.5, 1] }))
      await house.rollouts.start({ pool: 'demo', model: 'b' })
      await house.until(['holding'], traffic(house))
      house.moments = 0
      house.killAt = killAt
      await house.rollouts.act('demo', 'abort')
      const { phase } = await house.until(ended, traffic(house))
      return { house, phase }
    }
    const { house: whole } = await run(Infinity)
    for (let killAt = 1; killAt <= whole.moments; killAt += 1) {
      const { house, phase } = await run(killAt)
      expect([killAt, phase, house.ids, house.kept]).toEqual([killAt, 'aborted', 'gpu-0 gpu-1', undefined])
    }
  })

  it('gives no id twice, also where its journal is gone over', async () => {
    const house = houseOf()
    for (let round = 1; round <= 3; round += 1) {
      expect((await house.rollouts.start({ pool: 'demo', model: `m${round}` })).id).toBe(`demo-${round}`)
      await house.rollouts.act('demo', 'abort')
      await house.until(['aborted'])
      house.kill()
    }
    expect(house.rollouts.list().map(({ id }) => id)).toEqual(['demo-3', 'demo-2', 'demo-1'])
  })

  it('goes on watching a rollout that a person has paused', async () => {
    const house = houseOf([launched()], planWith({ kind: 'canary', steps: [0.2, 1] }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    await house.rollouts.act('demo', 'pause')
    house.kill()
    await house.pass(20_000, traffic(house, { outcome: 'refused', status: 500 }))
    expect(house.status).toMatchObject({ phase: 'rolled-back' })
  })
})

describe('a disk that is full', () => {
  it('is waited for by a rollout that goes well, and that is shown', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    house.isDiskFull = true
    await house.pass(10_000, traffic(house))
    expect(house.seen.fewest).toBe(3)
    expect(house.status.reason).toMatch(/^it waits for the disk: E/)
    house.isDiskFull = false
    expect(await house.until(ended, traffic(house))).toMatchObject({ phase: 'promoted', reason: 'r2 has all of the traffic' })
    expect(house.ids).toBe('gpu-r2-0 gpu-r2-1 gpu-r2-2')
  })

  it('keeps no client with a revision that is worse: it is taken back at once, and written down later', async () => {
    const house = houseOf([launched()], planWith({ kind: 'canary', steps: [0.2, 1], holdMs: 60_000 }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    house.isDiskFull = true
    expect(await house.until(ended, traffic(house, { outcome: 'refused', status: 500 }))).toMatchObject({ phase: 'rolled-back' })
    expect([house.ids, house.pool.split]).toEqual(['gpu-0 gpu-1 gpu-2', undefined])
    await expect(house.rollouts.start({ pool: 'demo', model: 'c' })).rejects.toMatchObject({
      code: 'LB_STATE_NOT_WRITTEN',
      httpStatus: 507,
    })
    await expect(house.rollouts.act('demo', 'undo')).rejects.toMatchObject({ code: 'LB_ROLLOUT_REFUSED' })
    house.isDiskFull = false
    await house.pass(6000)
    house.kill()
    expect(house.rollouts.list()).toMatchObject([{ id: 'demo-1', phase: 'rolled-back' }])
  })

  it('stops no start of a balancer', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    house.rollouts.stop()
    rmSync(join(house.stateDir, 'rollouts.json'))
    house.isDiskFull = true
    house.begin()
    expect([house.pool.split, house.ids]).toEqual([undefined, 'gpu-0 gpu-1 gpu-2'])
  })
})

describe('a journal that cannot be read', () => {
  it.each(['{"v":1,"runn', '[]', '{"v":9,"running":[],"past":[]}'])('is put aside: %s', async (text) => {
    const house = houseOf()
    house.rollouts.stop()
    writeFileSync(join(house.stateDir, 'rollouts.json'), text)
    house.begin()
    expect(house.rollouts.list()).toEqual([])
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    expect(readFileSync(join(house.stateDir, 'rollouts.json.unreadable'), 'utf8')).toBe(text)
  })

  it('in part costs the other pools nothing', async () => {
    const house = houseOf()
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    house.rollouts.stop()
    const path = join(house.stateDir, 'rollouts.json')
    const file = JSON.parse(readFileSync(path, 'utf8')) as { running: { pool: string; ground: object }[] }
    const [record] = file.running
    writeFileSync(path, JSON.stringify({ ...file, running: [{ ...record, pool: 'other', ground: {} }, record] }))
    house.begin()
    expect(await house.until(ended, traffic(house))).toMatchObject({ id: 'demo-1', phase: 'promoted' })
  })
})

describe('a change that was written down and could not be made', () => {
  it('is made again until it is, also on the way back', async () => {
    const house = houseOf([launched()], planWith({ kind: 'canary', steps: [0.2, 1] }))
    await house.rollouts.start({ pool: 'demo', model: 'b' })
    await house.until(['holding'], traffic(house))
    house.applyFails = 'the key file is gone'
    await house.rollouts.act('demo', 'abort')
    await house.pass(5000)
    expect([house.status.phase, house.ids]).toEqual(['rolling-back', 'gpu-0 gpu-1 gpu-2 gpu-r2-0'])
    house.applyFails = undefined
    expect(await house.until(ended)).toMatchObject({ phase: 'aborted' })
    expect(house.ids).toBe('gpu-0 gpu-1 gpu-2')
  })
})
