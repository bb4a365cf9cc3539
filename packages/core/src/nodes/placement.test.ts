import { describe, expect, it } from 'vitest'
import { machineGpu, type GpuFacts, type MachineGpu } from '../machines/gpus/machine-gpu.js'
import type { GpuWish } from '../topology/index.js'
import type { GpuSeeker } from './gpu-seeker.js'
import { placeNodes, type PlacementQuestion } from './placement.js'

const GIB = 1024
const gpu = (index: number, facts: Partial<GpuFacts> = {}): MachineGpu =>
  machineGpu({
    vendor: 'nvidia',
    source: 'test',
    index,
    uuid: `GPU-${String(index).repeat(8)}`,
    name: 'H100',
    memTotalMiB: 80 * GIB,
    memFreeMiB: 79 * GIB,
    ...facts,
  })
const slice = (index: number, number: number) =>
  gpu(index, { uuid: `MIG-${String(index).repeat(8)}-${number}`, migProfile: '3g.20gb', memTotalMiB: 20 * GIB, memFreeMiB: 20 * GIB })
const counted = (facts: Partial<Extract<GpuWish, { kind: 'counted' }>> = {}): GpuWish => ({
  kind: 'counted',
  perReplica: 1,
  share: false,
  ...facts,
})
const listed = (...lists: (readonly (number | string)[])[]): GpuWish => ({ kind: 'listed', lists, share: false })

function seekers(wish: GpuWish, count = 1, facts: Partial<GpuSeeker> = {}): GpuSeeker[] {
  return Array.from({ length: count }, (_, replica) => ({ id: `chat/gpu-${replica}`, replica, wish, ...facts }))
}

const needs = (gib: number) => ({ need: { mib: gib * GIB, why: 'weights' } })

/** The numbers that each node got, or why it got none. */
function placed(question: Partial<PlacementQuestion> & Pick<PlacementQuestion, 'gpus' | 'seekers'>) {
  const placements = placeNodes({ taken: [], ...question })
  return question.seekers.map(({ id }) => {
    const placement = placements.get(id)
    return placement?.refusal?.message ?? placement?.gpus.map((each) => (each.uuid?.startsWith('MIG') === true ? each.uuid : each.index))
  })
}
const hintOf = (question: Pick<PlacementQuestion, 'gpus' | 'seekers'>) =>
  placeNodes({ taken: [], ...question }).get(question.seekers[0]?.id ?? '')?.refusal?.hint

describe('GPUs by count', () => {
  it('go to replicas in their order', () => {
    expect(placed({ gpus: [gpu(0), gpu(1), gpu(2)], seekers: seekers(counted(), 3) })).toEqual([[0], [1], [2]])
  })

  it('come from those that are named', () => {
    expect(placed({ gpus: [gpu(0), gpu(1), gpu(2)], seekers: seekers(counted({ from: [2, 'GPU-1111'] }), 2) })).toEqual([[1], [2]])
  })

  it('are refused where another topology holds them, who is named', () => {
    const taken = [{ key: gpu(0).key, holder: 'other/chat/gpu', share: false, needMiB: null }]
    expect(placed({ gpus: [gpu(0)], seekers: seekers(counted()), taken })).toEqual([
      'no place for it: it wants a GPU, but GPU 0 is reserved for other/chat/gpu',
    ])
    expect(placed({ gpus: [gpu(0), gpu(1)], seekers: seekers(counted()), taken })).toEqual([[1]])
  })

  it('go where the need fits, the emptiest first', () => {
    const gpus = [gpu(0, { memFreeMiB: 10 * GIB }), gpu(1, { memFreeMiB: 30 * GIB }), gpu(2)]
    expect(placed({ gpus, seekers: seekers(counted(), 2, needs(22)) })).toEqual([[2], [1]])
  })

  it('a few MiB of difference do not change the order', () => {
    expect(placed({ gpus: [gpu(0, { memFreeMiB: 78 * GIB }), gpu(1)], seekers: seekers(counted(), 2) })).toEqual([[0], [1]])
  })

  it('that do not fit are told with their figures, and what would fit', () => {
    const question = { gpus: [gpu(0), gpu(1)], seekers: seekers(counted(), 1, needs(140)) }
    expect(placed(question)).toEqual([
      'no place for it: it wants a GPU with 140 GiB free, but GPU 0 has 80 GiB in all; GPU 1 has 80 GiB in all',
    ])
    expect(hintOf(question)).toBe('perReplica: 2 would fit (70 GiB on each)')
    expect(hintOf({ gpus: [gpu(0)], seekers: seekers(counted(), 1, needs(140)) })).toContain('at most 79 GiB are free on one')
    const taken = [{ key: gpu(0).key, holder: 'other/chat/gpu', share: false, needMiB: null }]
    const held = placeNodes({ gpus: [gpu(0), gpu(1)], seekers: seekers(counted(), 1, needs(140)), taken }).get('chat/gpu-0')
    expect(held?.refusal?.hint).toBe('perReplica: 2 would fit (70 GiB on each) once nothing else is on them; lb gpus shows what is')
  })

  it('whose memory nobody knows are taken', () => {
    expect(placed({ gpus: [gpu(0, { memTotalMiB: null, memFreeMiB: null })], seekers: seekers(counted(), 1, needs(22)) })).toEqual([[0]])
  })

  it('are shared as long as the memory lasts', () => {
    const wish = counted({ share: true })
    expect(placed({ gpus: [gpu(0)], seekers: seekers(wish, 3, needs(30)) })).toEqual([
      [0],
      [0],
      expect.stringContaining('GPU 0 has 20 of 80 GiB free'),
    ])
    const taken = [{ key: gpu(0).key, holder: 'other/a/b', share: true, needMiB: 60 * GIB }]
    expect(placed({ gpus: [gpu(0)], seekers: seekers(wish, 1, needs(30)), taken })).toEqual([expect.stringContaining('20 of 80 GiB')])
  })

  it('for tensor parallel are of one kind where possible, of one maker always', () => {
    const gpus = [gpu(0, { name: 'A10' }), gpu(1), gpu(2, { vendor: 'amd' }), gpu(3)]
    expect(placed({ gpus, seekers: seekers(counted({ perReplica: 2 })) })).toEqual([[1, 3]])
    expect(placed({ gpus: [gpu(0, { name: 'A10' }), gpu(1)], seekers: seekers(counted({ perReplica: 2 })) })).toEqual([[0, 1]])
    expect(placed({ gpus: [gpu(0), gpu(1, { vendor: 'amd' })], seekers: seekers(counted({ perReplica: 2 })) })).toEqual([
      'no place for it: it wants 2 GPUs of one maker, but GPU 0 alone is not enough; GPU 1 alone is not enough',
    ])
  })

  it('slices serve one process each, never several together', () => {
    expect(placed({ gpus: [slice(0, 1), slice(0, 2)], seekers: seekers(counted(), 2) })).toEqual([['MIG-00000000-1'], ['MIG-00000000-2']])
    expect(placed({ gpus: [slice(0, 1), slice(0, 2)], seekers: seekers(counted({ perReplica: 2 })) })[0]).toContain('2 GPUs of one maker')
  })

  it('in main memory are taken only where there are no cards, or when named', () => {
    const igpu = gpu(1, { vendor: 'amd', unified: true, name: 'Radeon Graphics' })
    expect(placed({ gpus: [gpu(0), igpu], seekers: seekers(counted(), 2) })[1]).toContain('GPU 0 is reserved for chat/gpu-0')
    expect(placed({ gpus: [igpu], seekers: seekers(counted()) })).toEqual([[1]])
    expect(placed({ gpus: [gpu(0), igpu], seekers: seekers(counted({ from: [1] })) })).toEqual([[1]])
  })

  it('that are broken are passed over', () => {
    expect(placed({ gpus: [gpu(0, { broken: 'GPU is lost' }), gpu(1)], seekers: seekers(counted()) })).toEqual([[1]])
  })

  it('whose memory will be free once an ended engine has given it back count as free', () => {
    const gpus = [gpu(0, { memFreeMiB: 2 * GIB })]
    expect(placed({ gpus, seekers: seekers(counted(), 1, needs(22)) })[0]).toContain('no place')
    expect(placed({ gpus, seekers: seekers(counted(), 1, needs(22)), soonFreeMiB: new Map([[gpu(0).key, 79 * GIB]]) })).toEqual([[0]])
  })
})

describe('GPUs by name', () => {
  it('go to their replica in the order that is written', () => {
    expect(placed({ gpus: [gpu(0), gpu(1), gpu(2)], seekers: seekers(listed([2, 0], ['GPU-1111']), 2) })).toEqual([[2, 0], [1]])
  })

  it('that are not there are told beside those that are', () => {
    expect(placed({ gpus: [gpu(0), gpu(1)], seekers: seekers(listed([7])) })).toEqual(['there is no GPU 7 that lb may use (here: 0, 1)'])
  })

  it('that are held are told with their holder', () => {
    const taken = [{ key: gpu(0).key, holder: 'other/chat/gpu', share: false, needMiB: null }]
    expect(placed({ gpus: [gpu(0)], seekers: seekers(listed([0])), taken })).toEqual(['GPU 0 is reserved for other/chat/gpu'])
  })

  it('of two makers, or several slices, cannot serve one engine', () => {
    expect(placed({ gpus: [gpu(0), gpu(1, { vendor: 'amd' })], seekers: seekers(listed([0, 1])) })[0]).toContain('NVIDIA and AMD at once')
    expect(placed({ gpus: [slice(0, 1), slice(0, 2)], seekers: seekers(listed(['MIG-00000000-1', 'MIG-00000000-2'])) })[0]).toContain(
      'at most one MIG slice',
    )
  })

  it("a card's number does not choose among its slices", () => {
    expect(placed({ gpus: [slice(0, 1), slice(0, 2)], seekers: seekers(listed([0])) })).toEqual(['GPU 0 is cut into 2 slices'])
    expect(placed({ gpus: [slice(0, 1)], seekers: seekers(listed([0])) })).toEqual([['MIG-00000000-1']])
  })

  it('with too little memory are taken, with a note', () => {
    const placement = placeNodes({ gpus: [gpu(0, { memFreeMiB: GIB })], seekers: seekers(listed([0]), 1, needs(22)), taken: [] }).get(
      'chat/gpu-0',
    )
    expect(placement?.refusal).toBeUndefined()
    expect(placement?.notes).toContain('GPU 0 has 1 of 80 GiB free, and it is expected to need 22 GiB')
  })
})

describe('places', () => {
  it('that are held stay, whatever else changes', () => {
    const [first, second] = seekers(counted(), 2)
    if (first === undefined || second === undefined) throw new Error('two seekers')
    expect(placed({ gpus: [gpu(0), gpu(1)], seekers: [first, { ...second, held: [gpu(0).key] }] })).toEqual([[1], [0]])
  })

  it('of `none` are empty, and no GPU at all is told with what the tools said', () => {
    expect(placed({ gpus: [gpu(0)], seekers: seekers({ kind: 'none' }) })).toEqual([[]])
    expect(placed({ gpus: [], seekers: seekers(counted()), problems: ['the NVIDIA driver is not loaded'] })).toEqual([
      'there is no GPU here that lb may use (the NVIDIA driver is not loaded)',
    ])
  })
})

describe('the memory that there is, where it does not suffice', () => {
  const roomOf = (gpus: readonly MachineGpu[], wish: GpuWish, gib: number, taken: PlacementQuestion['taken'] = []) =>
    placeNodes({ gpus, seekers: seekers(wish, 1, needs(gib)), taken }).get('chat/gpu-0')?.room
  const small = (index: number, gib: number, facts: Partial<GpuFacts> = {}) => gpu(index, { memFreeMiB: gib * GIB, ...facts })
  const held = [{ key: gpu(0).key, holder: 'other/chat/gpu', share: false, needMiB: null }]

  it.each([
    ['is that of the cards, the largest first', [small(0, 10), small(1, 30)], counted(), [], { count: 1, freeMiB: [30, 10] }],
    ['is without cards that others hold', [small(0, 30), small(1, 10)], counted(), held, { count: 1, freeMiB: [10] }],
    ['is without cards that are broken', [small(0, 30, { broken: 'lost' }), small(1, 9)], counted(), [], { count: 1, freeMiB: [9] }],
    ['is that of one maker', [small(0, 10), small(1, 9), small(2, 12, { vendor: 'amd' })], counted(), [], { count: 1, freeMiB: [10, 9] }],
    ['is that of the cards to choose from', [small(0, 10), small(1, 30)], counted({ from: [0] }), [], { count: 1, freeMiB: [10] }],
    ['is that of one slice', [slice(0, 1), slice(0, 2)], counted(), [], { count: 1, freeMiB: [20] }],
    ['is that of the cards by name', [small(0, 10), small(1, 30), small(2, 9)], listed([0, 2]), [], { count: 2, freeMiB: [10, 9] }],
    ['is not told where it suffices', [gpu(0)], counted(), [], undefined],
    ['is not told where there are too few', [gpu(0)], counted({ perReplica: 2 }), [], undefined],
    ['is not told where all are held', [gpu(0)], counted(), held, undefined],
  ] as const)('%s', (_, gpus, wish, taken, room) => {
    const found = roomOf(gpus, wish, 60, taken)
    expect(found).toEqual(
      room === undefined ? undefined : { kind: 'gpus', count: room.count, freeMiB: room.freeMiB.map((gib) => gib * GIB) },
    )
  })
})
