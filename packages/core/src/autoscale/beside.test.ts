import { afterEach, describe, expect, it } from 'vitest'
import type { Autoscaler } from './autoscaler.js'
import { SmallHouse } from './small-house.test.fixture.js'

const pace = { target: { tokensInFlight: 1_000 }, upAfter: '2s', downAfter: '10s', cooldown: '1s', idle: '30s' }
const cloud = (replicas: object) => ({ name: 'cloud', engine: 'sim', launch: { replicas: { ...pace, ...replicas } } })
const holding = (tokensInFlight: number) => ({ inFlight: 5, waiting: 0, prefillTokens: 0, tokensInFlight })

let autoscaler: Autoscaler | undefined
afterEach(() => autoscaler?.stop())

async function begun(gpu: object, more: readonly object[]): Promise<SmallHouse> {
  const house = await SmallHouse.of({ ...pace, ...gpu }, more)
  autoscaler = house.autoscaler()
  return house
}

const countOf = (house: SmallHouse, group: string) => house.ids.filter((id) => id.startsWith(`chat/${group}-`)).length

describe('groups of one pool that follow its load', () => {
  it('share it: the first in the file is filled first, the next one bears what it cannot, and goes first', async () => {
    const house = await begun({ min: 1, max: 2 }, [cloud({ min: 0, max: 4 })])
    house.counts.set('chat/gpu-0', holding(1_800))
    await house.pass(60)
    expect([countOf(house, 'gpu'), countOf(house, 'cloud')]).toEqual([2, 0])
    house.counts.set('chat/gpu-0', holding(4_500))
    await house.pass(60)
    expect([countOf(house, 'gpu'), countOf(house, 'cloud')]).toEqual([2, 3])
    house.counts.set('chat/gpu-0', holding(1_800))
    await house.pass(120)
    expect([countOf(house, 'gpu'), countOf(house, 'cloud')]).toEqual([2, 0])
  })

  it('stand in for each other: where the first finds no room, the next one has the nodes', async () => {
    const house = await begun({ min: 1, max: 4 }, [cloud({ min: 0, max: 4 })])
    for (const slot of [1, 2, 3]) house.refused.set(`chat/gpu-${slot}`, 'every GPU is taken')
    house.counts.set('chat/gpu-0', holding(2_800))
    await house.pass(60)
    expect([countOf(house, 'gpu'), countOf(house, 'cloud')]).toEqual([1, 2])
  })

  it('wake one node between them for the first request', async () => {
    const house = await begun({ min: 0, max: 2 }, [cloud({ min: 0, max: 2 })])
    await house.pass(5)
    expect(house.ids).toEqual([])
    house.inLine = 1
    await house.pass(1)
    expect(house.ids).toEqual(['chat/gpu-0'])
  })

  it('count nodes whose number nobody changes', async () => {
    const house = await begun({ min: 1, max: 6 }, [{ name: 'fixed', engine: 'sim', launch: { replicas: 2 } }])
    house.counts.set('chat/gpu-0', holding(4_500))
    await house.pass(60)
    expect(countOf(house, 'gpu')).toBe(3)
  })

  it('count what a later one has anyway', async () => {
    const house = await begun({ min: 1, max: 6 }, [cloud({ min: 2, max: 4 })])
    house.counts.set('chat/gpu-0', holding(4_500))
    await house.pass(60)
    expect([countOf(house, 'gpu'), countOf(house, 'cloud')]).toEqual([3, 2])
  })
})
