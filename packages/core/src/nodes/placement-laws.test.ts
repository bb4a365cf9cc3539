import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { machineGpu, type MachineGpu } from '../machines/gpus/machine-gpu.js'
import type { GpuWish } from '../topology/index.js'
import type { GpuSeeker } from './gpu-seeker.js'
import { isShared, placeNodes } from './placement.js'

const mib = fc.option(fc.integer({ min: 0, max: 90_000 }))
const gpu = fc
  .record({
    vendor: fc.constantFrom('nvidia' as const, 'amd' as const),
    name: fc.constantFrom('H100', 'A10'),
    memTotalMiB: mib,
    memFreeMiB: mib,
    unified: fc.boolean(),
    slice: fc.boolean(),
    broken: fc.boolean(),
  })
  .map(({ slice, broken, ...facts }) => ({
    ...facts,
    ...(slice ? { migProfile: '1g.5gb' } : {}),
    ...(broken ? { broken: 'GPU is lost' } : {}),
  }))
const machine = fc
  .array(gpu, { maxLength: 8 })
  .map((gpus): MachineGpu[] => gpus.map((facts, index) => machineGpu({ ...facts, source: 'test', index, uuid: `GPU-${index}` })))
const wish: fc.Arbitrary<GpuWish> = fc.oneof(
  fc.constant<GpuWish>({ kind: 'none' }),
  fc.record({ perReplica: fc.integer({ min: 1, max: 4 }), share: fc.boolean() }).map((facts): GpuWish => ({ kind: 'counted', ...facts })),
  fc
    .record({
      lists: fc.array(fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      share: fc.boolean(),
    })
    .map((facts): GpuWish => ({ kind: 'listed', ...facts })),
)
const seekers = fc
  .array(fc.record({ wish, need: fc.option(fc.integer({ min: 1, max: 120_000 }), { nil: undefined }) }), { maxLength: 6 })
  .map((all): GpuSeeker[] =>
    all.map(({ wish: asked, need }, index) => ({
      id: `p/n-${index}`,
      replica: 0,
      wish: asked,
      ...(need === undefined ? {} : { need: { mib: need, why: '' } }),
    })),
  )

it('whatever is asked of whatever machine: each GPU has one holder unless all share, and a node has all that it asked for or a reason', () => {
  fc.assert(
    fc.property(machine, seekers, (gpus, asking) => {
      const placed = placeNodes({ gpus, seekers: asking, taken: [] })
      const holders = new Map<string, GpuSeeker[]>()
      for (const seeker of asking) {
        const { gpus: given, refusal } = placed.get(seeker.id) ?? expect.fail('a node without an answer')
        for (const each of given) holders.set(each.key, [...(holders.get(each.key) ?? []), seeker])
        const { wish: asked } = seeker
        const wanted = asked.kind === 'none' ? 0 : asked.kind === 'counted' ? asked.perReplica : (asked.lists[0]?.length ?? 0)
        if (refusal === undefined) {
          expect(new Set(given).size).toBe(wanted)
          expect(new Set(given.map((each) => each.vendor)).size).toBeLessThanOrEqual(1)
          expect(given.filter((each) => each.broken !== undefined)).toEqual([])
          if (wanted > 1) expect(given.filter((each) => each.migProfile !== undefined)).toEqual([])
        } else {
          expect(given).toEqual([])
          expect(refusal.message).not.toBe('')
          expect(refusal.hint).not.toBe('')
        }
      }
      for (const holding of holders.values()) if (holding.length > 1) expect(holding.every((seeker) => isShared(seeker.wish))).toBe(true)
      expect(placeNodes({ gpus, seekers: asking, taken: [] })).toEqual(placed)
    }),
    { numRuns: 500 },
  )
})
