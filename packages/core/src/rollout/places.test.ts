import { describe, expect, it } from 'vitest'
import type { GroupPlan } from '../topology/index.js'
import { changeOf, endOf, isAs, sameJson, type Ground } from './places.js'
import type { Stage } from './stages.js'

const group = (name: string, replicas: number, more: Partial<GroupPlan> = {}): GroupPlan => ({
  name,
  engine: 'script',
  weight: 1,
  launch: { replicas, settings: {}, env: {}, restarts: { max: 5, withinMs: 600_000 } },
  ...more,
})
const [gpu, cpu, fresh] = [group('gpu', 3), group('cpu', 1), group('gpu-r2', 3, { revision: 'r2', revisionOf: 'gpu' })]
const ground: Ground = { base: [gpu, cpu], pairs: [{ from: gpu, to: fresh }], old: 'r1', fresh: 'r2', isStanding: false, sticky: false }
const stage = (gone: number, come: number, more: Partial<Stage> = {}): Stage => ({
  gone,
  come,
  share: 0.25,
  step: 1,
  isJudged: true,
  ...more,
})
const seen = (made: { readonly groups: readonly GroupPlan[] }) =>
  made.groups.map(({ name, revision, launch }) => [name, revision, launch?.slots])

describe('the groups of a stage', () => {
  it('have the places that it says, new ones behind the old ones that they take over from; groups beside them are of the old side', () => {
    expect(seen(changeOf(ground, stage(1, 2)))).toEqual([
      ['gpu', 'r1', [1, 2]],
      ['gpu-r2', 'r2', [0, 1]],
      ['cpu', 'r1', undefined],
    ])
  })

  it('are whole groups as they were written where all of their places are there', () => {
    expect(changeOf(ground, stage(0, 3)).groups[0]).toEqual({ ...gpu, revision: 'r1' })
    expect(changeOf(ground, stage(3, 3)).groups).toEqual([fresh, { ...cpu, revision: 'r1' }])
  })

  it('keep the numbers of places where the load says how many there are', () => {
    const scaled = { ...ground, pairs: [{ from: group('gpu', 8, {}), to: fresh }] }
    const some = { ...scaled.pairs[0]?.from, launch: { ...gpu.launch, replicas: 8, slots: [2, 5, 7] } } as GroupPlan
    const made = changeOf({ ...scaled, base: [some], pairs: [{ from: some, to: { ...fresh, launch: some.launch as never } }] }, stage(2, 1))
    expect(seen(made)).toEqual([
      ['gpu', 'r1', [7]],
      ['gpu-r2', 'r2', [2]],
    ])
  })

  it('are never none, also where the only place is being changed; one that can sleep stays and rests', () => {
    const one = group('gpu', 1)
    const lone = { ...ground, base: [one], pairs: [{ from: one, to: group('gpu-r2', 1) }] }
    expect(seen(changeOf(lone, stage(1, 0)))).toEqual([['gpu-r2', 'r2', []]])
    expect(changeOf({ ...lone, sleeps: true }, stage(1, 0)).groups).toEqual([{ ...one, revision: 'r1', rests: true }])
  })

  it('part the traffic with the trusted side first, and name the new one to those who ask for it by a header', () => {
    const header = { name: 'x-try', value: 'yes' }
    expect(changeOf({ ...ground, header }, stage(0, 1)).split).toEqual({
      sides: [
        { revision: 'r1', share: 0.75 },
        { revision: 'r2', share: 0.25 },
      ],
      sticky: false,
      header: { name: 'x-try', values: { yes: 'r2' } },
      watch: true,
    })
    expect(changeOf({ ...ground, header }, stage(0, 0, { isJudged: false })).split).not.toHaveProperty('header')
    expect(changeOf(ground, stage(0, 1, { share: 0, shadowShare: 0.5 })).split).toMatchObject({ shadow: { revision: 'r2', share: 0.5 } })
  })

  it('are in the end the new ones in the place of the old ones, without marks on those beside them', () => {
    expect(endOf(ground)).toEqual({ groups: [fresh, cpu] })
    expect(endOf({ ...ground, pairs: [{ from: gpu, to: cpu }], isStanding: true })).toEqual({ groups: [cpu] })
  })
})

describe('sameness', () => {
  it('is that of JSON: the order of keys and keys without a value say nothing, the order of groups does', () => {
    expect(sameJson({ a: 1, b: [1, 2], c: undefined }, { b: [1, 2], a: 1 })).toBe(true)
    expect(sameJson([1, 2], [2, 1])).toBe(false)
    expect(isAs({ groups: [gpu, cpu] }, JSON.parse(JSON.stringify({ groups: [gpu, cpu] })) as never)).toBe(true)
    expect(isAs({ groups: [cpu, gpu] }, { groups: [gpu, cpu] })).toBe(false)
    expect(isAs({ groups: [gpu] }, changeOf({ ...ground, base: [gpu] }, stage(0, 0)))).toBe(false)
  })
})
