import { describe, expect, it } from 'vitest'
import { carriedChange } from './carried-change.js'
import { plainGroup, plainPool } from './plain-plans.test.fixture.js'
import type { GroupPlan } from './topology.js'

const gpu = plainGroup({ replicas: 2, model: 'a' })
const live: GroupPlan = { ...plainGroup({ replicas: 2, model: 'b' }), name: 'gpu-r2', revision: 'r2', revisionOf: 'gpu' }
const cpu = plainGroup({ model: 'c' }, { name: 'cpu' })

/** `anew`: names of groups whose nodes the file says to be made of something else than before. */
const carried = (declared: readonly GroupPlan[], running: readonly GroupPlan[], anew: readonly string[] = []) =>
  carriedChange(plainPool(declared), { change: { groups: running } }, ({ name }) => anew.includes(name))?.groups

describe('a pool in which a revision went live', () => {
  it('keeps it when the file says it at last: nothing is started anew', () => {
    const written = plainGroup({ replicas: 2, model: 'b' })
    expect(carried([written], [live], ['gpu'])).toEqual([live])
    const more = carried([plainGroup({ replicas: 3, model: 'b' }, { weight: 4, labels: { a: 'b' } })], [live], ['gpu'])
    expect(more).toMatchObject([{ name: 'gpu-r2', revision: 'r2', weight: 4, labels: { a: 'b' }, launch: { replicas: 3, model: 'b' } }])
  })

  it('keeps it where the file says something else about other groups, or about other things of this one', () => {
    expect(carried([gpu, cpu], [live], ['cpu'])).toEqual([live, cpu])
    expect(carried([{ ...gpu, weight: 5 }], [live])).toEqual([{ ...live, weight: 5 }])
  })

  it('gives it up where the file says something else about what its nodes are', () => {
    expect(carried([plainGroup({ replicas: 2, model: 'x' })], [live], ['gpu'])).toBeUndefined()
    expect(carried([cpu], [live], ['cpu'])).toBeUndefined()
  })

  it('leaves a group away whose traffic was moved to another one, until the file says something new of it', () => {
    expect(carried([gpu, { ...cpu, weight: 2 }], [cpu])).toEqual([{ ...cpu, weight: 2 }])
    expect(carried([plainGroup({ model: 'x' }), cpu], [cpu], ['gpu'])).toBeUndefined()
    expect(carried([gpu], [cpu])).toBeUndefined()
  })
})

describe('a pool that is declared anew', () => {
  it('in the middle of a rollout runs as declared, with as many nodes as both revisions have', () => {
    const scale = { min: 1, max: 8 } as never
    const declared = plainGroup({ replicas: 8, scale, slots: [0], model: 'x' })
    const running = [
      plainGroup({ replicas: 8, scale, slots: [1, 2] }),
      { ...plainGroup({ replicas: 8, scale, slots: [0, 3] }), name: 'gpu-r2', revisionOf: 'gpu' },
    ]
    const change = { groups: running, split: { sides: [{ revision: 'r1', share: 1 }], sticky: false, watch: true } }
    expect(carriedChange(plainPool([declared]), { change }, () => true)?.groups).toMatchObject([
      { name: 'gpu', launch: { slots: [0, 1, 2, 3], model: 'x' } },
    ])
    expect(carriedChange(plainPool([gpu]), { change }, () => false)).toBeUndefined()
  })

  it('has as many nodes as somebody has asked for, as long as the file says the same number', () => {
    const scaled = plainGroup({ replicas: 2, slots: [0, 1, 2, 3], model: 'a' })
    expect(carried([{ ...gpu, weight: 2 }], [scaled])).toEqual([{ ...scaled, weight: 2 }])
    expect(carried([plainGroup({ replicas: 3, model: 'a' })], [scaled])).toBeUndefined()
  })

  it('in the middle of a rollout keeps what went live before it', () => {
    const next = { ...live, name: 'gpu-r3', revision: 'r3' }
    const change = { groups: [next], split: { sides: [{ revision: 'r3', share: 1 }], sticky: false, watch: true } }
    const anew = ({ name }: GroupPlan) => name === 'cpu'
    expect(carriedChange(plainPool([gpu, cpu]), { change, settled: { groups: [live] } }, anew)?.groups).toEqual([live, cpu])
    expect(carriedChange(plainPool([gpu, cpu]), { change }, anew)).toBeUndefined()
  })

  it('goes on resting, unless nobody would wake it', () => {
    const resting = { ...gpu, rests: true as const }
    const residency = { idleUnloadMs: 1, minResidentMs: 1, evictCost: 1, wakeWithinMs: 1 }
    const change = { groups: [resting] }
    const declared = plainPool([{ ...gpu, weight: 2 }], { residency })
    expect(carriedChange(declared, { change }, () => false)?.groups).toEqual([{ ...resting, weight: 2 }])
    expect(carriedChange(plainPool([{ ...gpu, weight: 2 }]), { change }, () => false)).toBeUndefined()
  })
})
