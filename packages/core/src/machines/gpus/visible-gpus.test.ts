import { describe, expect, it } from 'vitest'
import { machineGpu, type GpuFacts, type MachineGpu } from './machine-gpu.js'
import { allowedGpus, visibilityEnv } from './visible-gpus.js'

const gpu = (index: number, facts: Partial<GpuFacts> = {}): MachineGpu =>
  machineGpu({ vendor: 'nvidia', source: 'test', index, uuid: `GPU-${index}${index}${index}${index}aaaa-0000`, ...facts })
const amd = (index: number, facts: Partial<GpuFacts> = {}) => gpu(index, { vendor: 'amd', uuid: `GPU-000000000000000${index}`, ...facts })
const slice = gpu(0, { uuid: 'MIG-c6d4f1ef', migProfile: '3g.20gb' })

describe('variables that show an engine its GPUs', () => {
  it.each([
    ['NVIDIA by uuid', [gpu(1), gpu(0)], 'uuid', { CUDA_VISIBLE_DEVICES: 'GPU-1111aaaa-0000,GPU-0000aaaa-0000' }],
    ['NVIDIA by number, in the order of the bus', [gpu(2), gpu(3)], 'index', { CUDA_VISIBLE_DEVICES: '2,3' }],
    ['a slice by its uuid, whatever is wanted', [slice], 'index', { CUDA_VISIBLE_DEVICES: 'MIG-c6d4f1ef' }],
    ['numbers for all where one has no uuid', [gpu(0), gpu(1, { uuid: null })], 'uuid', { CUDA_VISIBLE_DEVICES: '0,1' }],
  ] as const)('%s', (_, gpus, ids, env) => {
    expect(visibilityEnv(gpus, ids, 'linux')).toEqual({ CUDA_DEVICE_ORDER: 'PCI_BUS_ID', ...env })
  })

  it('AMD: ROCR with uuids, or HIP with the numbers of the runtime; never both', () => {
    expect(visibilityEnv([amd(1)], 'uuid', 'linux')).toEqual({ ROCR_VISIBLE_DEVICES: 'GPU-0000000000000001' })
    expect(visibilityEnv([amd(1, { runtimeIndex: 0 })], 'index', 'linux')).toEqual({ HIP_VISIBLE_DEVICES: '0' })
    expect(visibilityEnv([amd(1, { uuid: null, runtimeIndex: 3 })], 'uuid', 'linux')).toEqual({ ROCR_VISIBLE_DEVICES: '3' })
  })

  it('none hides them from both makers, and a Mac can hide nothing', () => {
    expect(visibilityEnv([], 'uuid', 'linux')).toEqual({ CUDA_VISIBLE_DEVICES: '-1', HIP_VISIBLE_DEVICES: '-1' })
    expect(visibilityEnv([], 'uuid', 'darwin')).toEqual({})
  })
})

describe('what this process may use itself', () => {
  const all = [gpu(0), gpu(1), gpu(2)]
  it.each([
    [undefined, [0, 1, 2]],
    ['', []],
    ['-1', []],
    ['1', [1]],
    ['2,0', [0, 2]],
    ['0,2,-1,1', [0, 2]],
    ['0,7,1', [0]],
    ['GPU-1111', [1]],
    ['GPU-1111aaaa-0000, 0', [0, 1]],
    ['GPU-', []],
    ['nonsense', []],
  ])('CUDA_VISIBLE_DEVICES=%s leaves %j', (value, indices) => {
    expect(allowedGpus(all, { CUDA_VISIBLE_DEVICES: value }).map((each) => each.index)).toEqual(indices)
  })

  it('HIP counts what ROCr has left', () => {
    const cards = [amd(0), amd(1), amd(2)]
    expect(allowedGpus(cards, { ROCR_VISIBLE_DEVICES: '1,2', HIP_VISIBLE_DEVICES: '0' }).map((each) => each.index)).toEqual([1])
    expect(allowedGpus(cards, { ROCR_VISIBLE_DEVICES: '1', HIP_VISIBLE_DEVICES: '1' })).toEqual([])
  })

  it('one maker is not hidden by the variable of the other', () => {
    expect(allowedGpus([gpu(0), amd(0)], { CUDA_VISIBLE_DEVICES: '-1' }).map((each) => each.vendor)).toEqual(['amd'])
  })
})
