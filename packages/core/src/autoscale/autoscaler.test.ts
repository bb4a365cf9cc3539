import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Autoscaler } from './autoscaler.js'
import { record, SmallHouse } from './small-house.test.fixture.js'

const follows = { min: 1, max: 4, target: { queueSeconds: 1 }, upAfter: '2s', downAfter: '10s', cooldown: '1s', idle: '30s' }
const busy = { inFlight: 200, waiting: 200, prefillTokens: 100_000, tokensInFlight: 200_000 }

let folder: string
let autoscaler: Autoscaler | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-scale-'))
})
afterEach(() => {
  autoscaler?.stop()
  autoscaler = undefined
  rmSync(folder, { recursive: true, force: true })
})

describe('a group that follows its load', () => {
  it('gets nodes while work piles up, and gives them back once there is none, each time with the reason', async () => {
    const house = await SmallHouse.of(follows)
    autoscaler = house.autoscaler()
    house.counts.set('chat/gpu-0', busy)
    await house.pass(5)
    expect(house.ids.length).toBeGreaterThan(1)
    expect(house.told[0]).toMatch(/^chat\/gpu: 1 -> [234] nodes: .*requests more wait than should/)
    expect(autoscaler.list()[0]).toMatchObject({ pool: 'chat', group: 'gpu', min: 1, max: 4, follows: 'queue of 1 s' })
    house.counts.clear()
    await house.pass(120)
    expect(house.ids).toEqual(['chat/gpu-0'])
    expect(house.told.at(-1)).toMatch(/^chat\/gpu: [234] -> 1 node: /)
  })

  it('lets the idle node go, whatever its number is', async () => {
    const house = await SmallHouse.of({ ...follows, min: 2, max: 4 })
    autoscaler = house.autoscaler(folder)
    await autoscaler.scale('chat', 3)
    await house.pass(25)
    expect(house.ids).toHaveLength(3)
    house.counts.set('chat/gpu-1', { ...busy, inFlight: 1, waiting: 0 }).set('chat/gpu-2', { ...busy, inFlight: 1, waiting: 0 })
    await autoscaler.scale('chat', 0)
    await house.pass(60)
    expect(house.ids).toEqual(['chat/gpu-1', 'chat/gpu-2'])
  })

  it('rests where it may, and the first request in line wakes a node within a fifth of a second', async () => {
    const house = await SmallHouse.of({ ...follows, min: 0 })
    autoscaler = house.autoscaler()
    await house.pass(5)
    expect(house.ids).toEqual([])
    expect(autoscaler.list()[0]).toMatchObject({ replicas: 0, wanted: 0, reason: 'no requests come' })
    house.inLine = 1
    await house.pass(0.2)
    expect(house.ids).toEqual(['chat/gpu-0'])
    expect(house.told[0]).toBe('chat/gpu: 0 -> 1 node: 1 request is there')
    house.inLine = 0
    await house.pass(28)
    expect(house.ids).toEqual(['chat/gpu-0'])
    await house.pass(10)
    expect(house.ids).toEqual([])
  })

  it('keeps still while a rollout runs in its pool, and says so', async () => {
    const house = await SmallHouse.of(follows)
    autoscaler = house.autoscaler()
    house.rollout = 'rollout chat-1 runs'
    house.counts.set('chat/gpu-0', busy)
    await house.pass(10)
    expect(house.ids).toHaveLength(1)
    expect(autoscaler.list()[0]?.reason).toBe('stays as it is: rollout chat-1 runs')
    await expect(autoscaler.scale('chat', 3)).rejects.toMatchObject({ code: 'LB_CANNOT_SCALE', httpStatus: 409 })
    house.rollout = undefined
    await house.pass(30)
    expect(house.ids.length).toBeGreaterThan(1)
  })

  it('leaves a pool alone in which a rollout began while it was asked for room', async () => {
    const house = await SmallHouse.of(2)
    autoscaler = house.autoscaler()
    const scaling = autoscaler.scale('chat', 3)
    house.rollout = 'rollout chat-1 runs'
    await expect(scaling).rejects.toMatchObject({ code: 'LB_CANNOT_SCALE', message: 'chat/gpu has changed meanwhile: rollout chat-1 runs' })
    expect(house.ids).toHaveLength(2)
    house.rollout = undefined
    expect(await autoscaler.scale('chat', 3)).toMatchObject({ wanted: 3 })
  })

  it('wants no more than can be placed, and says why', async () => {
    const house = await SmallHouse.of(follows)
    autoscaler = house.autoscaler()
    house.counts.set('chat/gpu-0', busy)
    for (const slot of [2, 3]) house.refused.set(`chat/gpu-${slot}`, 'every GPU is taken')
    await house.pass(60)
    expect(house.ids).toEqual(['chat/gpu-0', 'chat/gpu-1'])
    expect(house.told.join('\n')).toMatch(/[34] wanted: there is room for 2: every GPU is taken/)
  })

  it('asks for room again soon while a node of its own still ends', async () => {
    const house = await SmallHouse.of({ ...follows, min: 0, max: 1 })
    autoscaler = house.autoscaler()
    house.drains = true
    house.inLine = 1
    await house.pass(5)
    expect(house.ids).toHaveLength(1)
    house.inLine = 0
    await house.pass(60)
    expect(house.ids).toEqual([])
    house.refused.set('chat/gpu', 'every GPU is taken')
    house.inLine = 1
    await house.pass(3)
    house.refused.clear()
    house.drained()
    await house.pass(5)
    expect(house.ids).toEqual(['chat/gpu'])
  })

  it('goes on as it is where a change cannot be made, shows why, and tries again', async () => {
    const house = await SmallHouse.of(follows)
    autoscaler = house.autoscaler()
    house.diskFails = true
    house.counts.set('chat/gpu-0', busy)
    await house.pass(10)
    expect(house.ids).toHaveLength(1)
    expect(autoscaler.list()[0]?.reason).toMatch(/no space left on the disk/)
    expect(house.told).toHaveLength(1)
    house.diskFails = false
    await house.pass(60)
    expect(house.ids.length).toBeGreaterThan(1)
  })

  it('replaces a node that nobody starts again', async () => {
    const house = await SmallHouse.of(follows)
    autoscaler = house.autoscaler()
    house.counts.set('chat/gpu-0', { ...busy, inFlight: 2, waiting: 0 })
    await house.pass(2)
    house.node('chat/gpu-0').isGivenUp = true
    await house.pass(5)
    expect(house.ids).toEqual(['chat/gpu-1'])
    house.node('chat/gpu-1').isGivenUp = true
    await house.pass(30)
    expect(house.ids).toEqual(['chat/gpu-1'])
    expect(autoscaler.list()[0]?.reason).toMatch(/chat\/gpu-0 failed/)
    await house.pass(30)
    expect(house.ids).toEqual(['chat/gpu-0'])
  })

  it('has at least what `lb scale` asked for, also in the next balancer', async () => {
    const house = await SmallHouse.of(follows)
    autoscaler = house.autoscaler(folder)
    expect(await autoscaler.scale('chat', 3)).toMatchObject({ wanted: 3, reason: 'at least 3, as asked with `lb scale`' })
    autoscaler.stop()
    expect(JSON.parse(readFileSync(join(folder, 'scale.json'), 'utf8'))).toEqual({ v: 1, floors: { 'chat/gpu': 3 } })
    autoscaler = house.autoscaler(folder)
    await house.pass(120)
    expect(house.ids).toHaveLength(3)
    await expect(autoscaler.scale('chat', 9)).rejects.toMatchObject({
      code: 'LB_CANNOT_SCALE',
      message: expect.stringMatching(/at most 4/),
    })
    await autoscaler.scale('chat', 0)
    await house.pass(60)
    expect(house.ids).toHaveLength(1)
  })

  it('follows a trigger; one that fails counts with its last value for a while, and then not at all', async () => {
    const house = await SmallHouse.of({ ...follows, triggers: [{ name: 'jobs', url: 'http://jobs/depth', perReplica: 10, every: '5s' }] })
    house.answer = '25'
    autoscaler = house.autoscaler()
    await house.pass(10)
    expect(house.ids).toHaveLength(3)
    expect(house.told[0]).toMatch(/jobs says 25, 10 for each node/)
    house.answer = undefined
    await house.pass(100)
    expect(house.ids).toHaveLength(3)
    expect(house.warnings).toEqual(['scale.trigger_failed'])
    await house.pass(60)
    expect(house.ids).toHaveLength(1)
  })

  it('has machines brought before it wants nodes on them, and returned after', async () => {
    const house = await SmallHouse.of({ ...follows, provider: { webhook: 'http://machines/scale' } })
    autoscaler = house.autoscaler(folder)
    await autoscaler.scale('chat', 2)
    expect(house.posted).toEqual([{ pool: 'chat', group: 'gpu', from: 1, wanted: 2, direction: 'up' }])
    await autoscaler.scale('chat', 0)
    await house.pass(60)
    expect(house.posted.at(-1)).toEqual({ pool: 'chat', group: 'gpu', from: 2, wanted: 1, direction: 'down' })
  })

  it('runs the command of a provider, and wants nothing while it fails', async () => {
    const up = [process.execPath, '-e', "console.error('no more machines'); process.exit(process.env.LB_WANTED === '2' ? 3 : 0)"]
    const house = await SmallHouse.of({ ...follows, provider: { up } })
    autoscaler = house.autoscaler(folder)
    await autoscaler.scale('chat', 2)
    expect(house.ids).toHaveLength(1)
    expect(house.told[0]).toMatch(/could not be changed: .*no more machines/)
  })

  it('learns how long nodes take, and what requests cost', async () => {
    const house = await SmallHouse.of(follows)
    autoscaler = house.autoscaler(folder)
    await autoscaler.scale('chat', 2)
    await house.pass(25)
    for (let request = 0; request < 50; request++) autoscaler.settled(record('chat/gpu-0', { cachedTokens: 400 }))
    await house.pass(2)
    expect(autoscaler.list()[0]?.reason).toMatch(/at least 2/)
  })
})

describe('a group with a fixed number of nodes', () => {
  it('has as many as somebody asks for; nodes keep their names', async () => {
    const house = await SmallHouse.of(1)
    autoscaler = house.autoscaler()
    expect(autoscaler.list()).toEqual([])
    expect(await autoscaler.scale('chat', 3)).toMatchObject({ wanted: 3, follows: null })
    expect(house.ids).toEqual(['chat/gpu', 'chat/gpu-1', 'chat/gpu-2'])
    expect(house.told).toEqual(['chat/gpu: 1 -> 3 nodes: as asked with `lb scale`'])
    await autoscaler.scale('chat', 0)
    expect(house.ids).toEqual([])
  })

  it('says what stands in the way', async () => {
    const house = await SmallHouse.of(1, [
      { name: 'gpu-1', engine: 'sim', launch: {} },
      { name: 'far', engine: 'sim', attach: 'http://127.0.0.1:9' },
    ])
    const scaler = (autoscaler = house.autoscaler())
    await expect(scaler.scale('chat', 2)).rejects.toMatchObject({ code: 'LB_CANNOT_SCALE', hint: 'name one: --group gpu, --group gpu-1' })
    await expect(scaler.scale('chat', 2, 'gpu')).rejects.toThrow(/would be called gpu-1, which is another group/)
    await expect(scaler.scale('chat', 2, 'far')).rejects.toThrow(/attached, not launched/)
    await expect(scaler.scale('chat', 2, 'tpu')).rejects.toMatchObject({ code: 'LB_UNKNOWN_GROUP', httpStatus: 404 })
    house.refused.set('chat/gpu-1-1', 'every GPU is taken')
    await expect(scaler.scale('chat', 2, 'gpu-1')).rejects.toThrow(/cannot be placed: every GPU is taken/)
  })
})
