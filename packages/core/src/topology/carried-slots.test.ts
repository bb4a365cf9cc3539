import { expect, it } from 'vitest'
import { carriedSlots } from './carried-slots.js'
import { resolveText } from './catalogue.test.fixture.js'
import type { GroupPlan, PoolPlan } from './topology.js'

const declared = async (replicas: string): Promise<PoolPlan> =>
  (await resolveText(`pools: {a: {nodes: [{name: gpu, engine: sim, launch: {replicas: ${replicas}}}]}}`)).pools[0] as PoolPlan

const running = async (slots: readonly number[]): Promise<readonly GroupPlan[]> =>
  (await declared('{ min: 1, max: 8 }')).groups.map((group) => ({
    ...group,
    launch: { ...group.launch, slots } as NonNullable<GroupPlan['launch']>,
  }))

const slotsAfter = async (replicas: string, now: readonly number[]) =>
  carriedSlots(await declared(replicas), await running(now))?.groups[0]?.launch?.slots

it('keeps the replicas that run, within the new bounds', async () => {
  expect(await slotsAfter('{ min: 1, max: 6 }', [0, 2, 5])).toEqual([0, 2, 5])
  expect(await slotsAfter('{ min: 1, max: 3 }', [0, 2, 5])).toEqual([0, 2])
  expect(await slotsAfter('{ min: 3, max: 6 }', [0, 4])).toEqual([0, 1, 4])
})

it('changes nothing where it runs as declared anyway, or no longer follows its load', async () => {
  expect(await slotsAfter('{ min: 2, max: 6 }', [0, 1])).toBeUndefined()
  expect(await slotsAfter('4', [0, 2])).toBeUndefined()
  expect(carriedSlots(await declared('{ min: 1, max: 2 }'), [])).toBeUndefined()
})
