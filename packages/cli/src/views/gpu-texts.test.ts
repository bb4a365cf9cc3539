import { describe, expect, it } from 'vitest'
import { sampleGpu } from './board/sample-status.test.fixture.js'
import { gpuTable } from './gpu-table.js'
import { tightLines } from './plan-fit-lines.js'
import { planGpuLines, type PlannedGpus } from './plan-gpu-lines.js'

describe('gpuTable', () => {
  it('shows a dash for what is not known, and whom each is reserved for', () => {
    const gpus = [
      sampleGpu(0, { heldBy: ['one/chat/gpu-0'] }),
      sampleGpu(1, { migProfile: '3g.20gb', memFreeMiB: null, memTotalMiB: null, utilization: null, temperatureC: null }),
    ]
    expect(gpuTable({ gpus, problems: [] }).split('\n')).toEqual([
      'GPU        NAME                   FREE     MEMORY  BUSY  TEMP   RESERVED FOR    ID',
      '0          NVIDIA H100 80GB HBM3  8.2 GiB  80 GiB  98 %  61 °C  one/chat/gpu-0  GPU-0',
      '1 3g.20gb  NVIDIA H100 80GB HBM3  -        -       -     -      -               GPU-1',
      '',
    ])
  })

  it('says where it looked when there is none, and what a tool complains of, on one plain line', () => {
    const text = gpuTable({ gpus: [], problems: [{ tool: 'nvidia-smi', message: 'nvidia-smi said: \u001b[2Jboo', hint: 'reboot' }] })
    expect(text).toContain('no GPU was found (looked with nvidia-smi')
    expect(text).toContain('boo; reboot')
    expect(text).not.toContain('\u001b')
  })
})

describe('planGpuLines', () => {
  const planned: PlannedGpus = {
    gpus: [{ ...sampleGpu(0), label: 'GPU 0', migProfile: '3g.20gb' }],
    env: { CUDA_VISIBLE_DEVICES: 'GPU-0' },
    needMiB: 22_528,
    needWhy: 'weights 20 GiB + KV 2 GiB',
    notes: ['the GPUs are not of one kind: the slowest sets the pace'],
    refusal: null,
  }

  it('says where a node goes, what it needs and why, and how it is shown to it', () => {
    expect(planGpuLines(planned)).toEqual([
      '    on GPU 0 (NVIDIA H100 80GB HBM3, 8.2 of 80 GiB free), needs about 22 GiB (weights 20 GiB + KV 2 GiB)',
      '    CUDA_VISIBLE_DEVICES=GPU-0',
      '    ! the GPUs are not of one kind: the slowest sets the pace',
    ])
  })

  it('says why a node would not start, and what would fit', () => {
    const refusal = { message: 'no place for it', hint: 'perReplica: 2 would fit' }
    expect(planGpuLines({ ...planned, refusal })).toEqual([
      '    ! would not start: no place for it',
      '      it needs about 22 GiB (weights 20 GiB + KV 2 GiB)',
      '      perReplica: 2 would fit',
    ])
  })

  it('says what its engine names as fitting, one way a line, and a plugin that could not', () => {
    const way = { change: 'launch.args: { contextTokens: 8192 }', settings: {}, count: 2, mib: 18_432, why: 'instead of 32768' }
    const refusal = { message: 'no place for it', hint: 'at most 8 GiB are free on one', isGuess: true } as const
    const lines = planGpuLines({
      ...planned,
      refusal,
      fits: { ways: [way], problem: 'the plugin of engine `x` cannot say what would fit: no' },
    })
    expect(lines.slice(2)).toEqual([
      '      launch.args: { contextTokens: 8192 } would fit (9 GiB on each): instead of 32768',
      '    ! the plugin of engine `x` cannot say what would fit: no',
    ])
    const wait = planGpuLines({ ...planned, refusal: { message: 'no place for it', hint: 'stop what holds them' }, fits: { ways: [way] } })
    expect(wait.slice(2)).toEqual(['      stop what holds them', lines[2]])
    expect(planGpuLines({ ...planned, fits: { ways: [way] } }).at(-1)).toBe(lines[2])
  })

  it('tells of nodes that nobody placed and that need more than there is', () => {
    const fits = { ways: [{ change: 'launch.args: { parallel: 1 }', settings: {}, count: 1, mib: 2048, why: 'instead of 4' }] }
    const node = { id: 'chat/cpu', need: { mib: 8192, why: 'weights 6 GiB' }, fits }
    expect(tightLines({ ...node, room: { kind: 'main', freeMiB: [4096], count: 1 } })).toEqual([
      '! chat/cpu is expected to need 8 GiB (weights 6 GiB), and 4 GiB of main memory are free',
      '      launch.args: { parallel: 1 } would fit (2 GiB): instead of 4',
    ])
    expect(tightLines({ ...node, room: { kind: 'gpus', freeMiB: [4096, 2048], count: 2 } })[0]).toContain(
      'the GPUs together have 6 GiB free',
    )
  })

  it('says nothing where nobody chose, and `on the CPU` for none', () => {
    expect(planGpuLines(undefined)).toEqual([])
    expect(planGpuLines({ ...planned, gpus: [], env: {}, needMiB: null, notes: [] })).toEqual(['    on the CPU'])
  })
})
