import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LbError } from '../errors/index.js'
import type { Autoscaler } from './autoscaler.js'
import { SmallHouse } from './small-house.test.fixture.js'

const webhook = 'http://machines/scale'
const group = { min: 1, max: 4, target: { queueSeconds: 1 }, upAfter: '2s', downAfter: '10s', cooldown: '1s', provider: { webhook } }
const wish = (from: number, wanted: number) => ({ pool: 'chat', group: 'gpu', from, wanted, direction: wanted > from ? 'up' : 'down' })

let folder: string
let autoscaler: Autoscaler
let house: SmallHouse
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lb-machines-'))
  house = await SmallHouse.of(group)
  autoscaler = house.autoscaler(folder)
})
afterEach(() => {
  autoscaler.stop()
  rmSync(folder, { recursive: true, force: true })
})

const told = () => (JSON.parse(readFileSync(join(folder, 'scale-machines.json'), 'utf8')) as { groups: unknown }).groups

describe('machines that a provider brings', () => {
  it('go back only once the last request there has ended', async () => {
    house.drains = true
    await autoscaler.scale('chat', 3)
    await autoscaler.scale('chat', 0)
    await house.pass(100)
    expect(house.ids).toEqual(['chat/gpu-0'])
    expect(house.posted).toEqual([wish(1, 3)])
    house.drained()
    await house.pass(2)
    expect(house.posted).toEqual([wish(1, 3), wish(3, 1)])
    expect(told()).toEqual({ 'chat/gpu': 1 })
  })

  it('go back where their node is given up, before others are brought for it, and not at once', async () => {
    await autoscaler.scale('chat', 2)
    house.node('chat/gpu-1').isGivenUp = true
    await house.pass(3)
    expect(house.ids).toEqual(['chat/gpu-0'])
    expect(house.posted).toEqual([wish(1, 2), wish(2, 1)])
    expect(autoscaler.list()[0]?.reason).toMatch(/chat\/gpu-1 failed: .*, tried again in \d+ s/)
    await house.pass(60)
    expect(house.posted).toEqual([wish(1, 2), wish(2, 1), wish(1, 2)])
    expect(house.ids).toHaveLength(2)
  })

  it('are tried again less and less often where their nodes fail each time', async () => {
    void autoscaler.scale('chat', 2)
    for (let second = 0; second < 3_600; second++) {
      await house.pass(1)
      for (const id of house.ids) if (id !== 'chat/gpu-0') house.node(id).isGivenUp = true
    }
    const ups = house.posted.filter((each) => (each as { direction: string }).direction === 'up').length
    expect(ups).toBeGreaterThan(8)
    expect(ups).toBeLessThanOrEqual(15)
    expect(house.posted.length).toBeLessThanOrEqual(2 * ups)
    expect(house.counted.filter((each) => each === 'gpu node').length).toBe(ups)
  })

  it('that nobody is sure of go back; where the provider says no, there are none', async () => {
    house.posting = () => Promise.reject(new Error('socket hang up'))
    await autoscaler.scale('chat', 2)
    expect(house.ids).toHaveLength(1)
    house.posting = () => Promise.resolve()
    await house.pass(3)
    expect(house.posted).toEqual([wish(1, 2), wish(2, 1)])
    await autoscaler.scale('chat', 0)
    await house.pass(60)
    house.posting = () => Promise.reject(new LbError('machines answered 409', { code: 'LB_URL_REFUSED', source: 'operator' }))
    await autoscaler.scale('chat', 2)
    house.posting = () => Promise.resolve()
    await house.pass(3)
    expect(house.posted).toEqual([wish(1, 2), wish(2, 1), wish(1, 2)])
  })

  it('are returned by the next balancer where this one ends while they come', async () => {
    house.posting = () => new Promise(() => undefined)
    void autoscaler.scale('chat', 3)
    await house.pass(5)
    expect(told()).toEqual({ 'chat/gpu': 3 })
    autoscaler.stop()
    writeFileSync(join(folder, 'scale.json'), '{}')
    house.posting = () => Promise.resolve()
    autoscaler = house.autoscaler(folder)
    await house.pass(3)
    expect(house.posted).toEqual([wish(1, 3), wish(3, 1)])
    expect(house.ids).toEqual(['chat/gpu-0'])
  })

  it('that cannot be returned are in the status until they are, and tried again', async () => {
    await autoscaler.scale('chat', 2)
    house.posting = () => Promise.reject(new Error('500'))
    await autoscaler.scale('chat', 0)
    await house.pass(30)
    expect(house.ids).toHaveLength(1)
    expect(autoscaler.list()[0]?.problems).toEqual(['machines that are not needed could not be returned: 500'])
    expect(house.told.at(-1)).toMatch(/could not be returned: 500; tried again in 60 s/)
    house.posting = () => Promise.resolve()
    await house.pass(100)
    expect(house.posted.at(-1)).toEqual(wish(2, 1))
    expect(autoscaler.list()[0]?.problems).toBeUndefined()
    expect(told()).toEqual({ 'chat/gpu': 1 })
  })

  it('go back but for the least when their group leaves the file, once its nodes are gone', async () => {
    await autoscaler.scale('chat', 3)
    house.drains = true
    await house.redeclare([{ name: 'other', engine: 'sim', launch: {} }])
    await house.pass(5)
    expect(house.posted).toEqual([wish(1, 3)])
    house.drained()
    await house.pass(5)
    expect(house.posted).toEqual([wish(1, 3), wish(3, 1)])
  })

  it('of a provider that the file does not name any more are a matter for people, and they are told once', async () => {
    await autoscaler.scale('chat', 3)
    autoscaler.stop()
    await house.redeclare([{ name: 'other', engine: 'sim', launch: {} }])
    autoscaler = house.autoscaler(folder)
    await house.pass(10)
    expect(house.warnings).toEqual(['scale.machines_left'])
    expect(house.told.at(-1)).toMatch(/chat\/gpu was told to have 3 machines, and the topology file names no provider/)
  })

  it('let the answer to `lb scale` wait no longer than two seconds', async () => {
    house.posting = () => new Promise(() => undefined)
    const answer = autoscaler.scale('chat', 2)
    await house.pass(2.1)
    expect(await answer).toMatchObject({ wanted: 2, replicas: 1 })
  })
})
