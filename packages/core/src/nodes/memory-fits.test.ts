import { describe, expect, it } from 'vitest'
import { silentLogger, type Backend, type EnginePlugin, type FitOption, type MemoryRoom, type PluginHost } from '../contracts/index.js'
import type { GpuWish, LaunchSettings } from '../topology/index.js'
import { launchGroup, topologyOf } from './fleet.test.fixture.js'
import { fitText, memoryFits } from './memory-fits.js'
import { nodePlansOf } from './node-plan.js'
import { tightNodes } from './tight-nodes.js'
import { machineGpu } from '../machines/gpus/machine-gpu.js'

const room: MemoryRoom = { kind: 'gpus', freeMiB: [8000, 6000], count: 1 }
const shorter: FitOption = { args: { contextTokens: 8192 }, count: 1, mib: 7500, why: 'instead of 32768' }

/** A context whose engine says these things of its memory. */
function contextOf(memory: Partial<Backend>) {
  const plugin: EnginePlugin = {
    apiVersion: 1,
    engine: 'script',
    settings: {},
    canLaunch: true,
    summary: 'for tests',
    createBackend: () => ({
      probe: () => Promise.resolve({ verdict: 'ready' }),
      minProbeIntervalMs: 10,
      dialect: { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' },
      ...memory,
    }),
  }
  return { engines: new Map([['script', plugin]]), host: { log: silentLogger } as PluginHost, env: {} }
}

const planOf = (launch: Partial<LaunchSettings> = {}) => nodePlansOf(topologyOf([launchGroup('', launch)]))
function fitsOf(said: unknown, launch: Partial<LaunchSettings> = {}) {
  const [plan] = planOf(launch)
  return memoryFits(plan ?? expect.fail('no node'), room, contextOf({ fitOptions: () => said as readonly FitOption[] }))
}

describe('what an engine names as fitting', () => {
  it('is put into the words and paths of the topology', () => {
    const spread: FitOption = { args: { splitMode: 'layer' }, count: 2, mib: 11_000, why: 'takes 2 GPUs' }
    const other: FitOption = { args: {}, change: 'launch.model: a smaller one', count: 1, mib: 4000, why: 'an estimate' }
    const { ways, problem } = fitsOf([shorter, spread, other])
    expect(problem).toBeUndefined()
    expect(ways.map(({ change, settings }) => [change, settings])).toEqual([
      ['launch.args: { contextTokens: 8192 }', { 'launch.args.contextTokens': 8192 }],
      [
        'launch.args: { splitMode: layer } and launch.gpus: { perReplica: 2 }',
        { 'launch.args.splitMode': 'layer', 'launch.gpus.perReplica': 2 },
      ],
      ['launch.model: a smaller one', {}],
    ])
    expect(ways.map(fitText)).toEqual([
      'launch.args: { contextTokens: 8192 } would fit (7.3 GiB)',
      'launch.args: { splitMode: layer } and launch.gpus: { perReplica: 2 } would fit (5.4 GiB on each)',
      'launch.model: a smaller one would fit (3.9 GiB)',
    ])
  })

  it.each([
    ['no list', 'a smaller model'],
    ['a hole', null],
    ['no settings', { ...shorter, args: undefined }],
    ['a setting that is no plain value', { ...shorter, args: { contextTokens: { of: 1 } } }],
    ['a setting that breaks the line', { ...shorter, args: { name: 'a\nb' } }],
    ['nothing to change', { ...shorter, args: {} }],
    ['no reason', { ...shorter, why: '' }],
    ['a need that is no number', { ...shorter, mib: NaN }],
    ['half a card', { ...shorter, count: 1.5 }],
    ['more cards than there are', { ...shorter, count: 3 }],
    ['what does not fit', { ...shorter, mib: 8001 }],
    ['what does not fit on the smaller of two', { ...shorter, count: 2, mib: 12_001 }],
  ])('is not believed where it is %s: the plugin is named, and its good answers count', (_, said) => {
    const { ways, problem } = fitsOf(typeof said === 'string' ? said : [said, shorter])
    expect(problem).toMatch(/^the plugin of engine `script` names what would not fit or makes no sense: /)
    expect(ways.map((way) => way.mib)).toEqual(typeof said === 'string' ? [] : [7500])
  })

  it('is four ways at most', () => {
    expect(fitsOf(Array.from({ length: 9 }, () => shorter)).ways).toHaveLength(4)
  })

  it('is nothing from a plugin that throws, which is named, and from one that says nothing', () => {
    const [plan] = planOf()
    const fitOptions = () => {
      throw new Error('no idea')
    }
    expect(memoryFits(plan ?? expect.fail('no node'), room, contextOf({ fitOptions }))).toEqual({
      ways: [],
      problem: 'the plugin of engine `script` cannot say what would fit: no idea',
    })
    expect(memoryFits(plan ?? expect.fail('no node'), room, contextOf({}))).toEqual({ ways: [] })
  })

  it('is not asked where the topology says the need itself, or the whole command line', () => {
    const gpus: GpuWish = { kind: 'counted', perReplica: 1, needMiB: 9000, share: false }
    expect(fitsOf([shorter], { gpus })).toEqual({ ways: [] })
    expect(fitsOf([shorter], { command: ['engine', '--port', '${PORT}'] })).toEqual({ ways: [] })
    expect(fitsOf([shorter], { command: ['taskset', '1'] }).ways).toHaveLength(1)
  })
})

describe('nodes that nobody placed', () => {
  const card = (index: number, memFreeMiB: number | null, more: object = {}) =>
    machineGpu({ vendor: 'nvidia', source: 'test', index, uuid: `GPU-${index}`, name: 'L4', memTotalMiB: 24_000, memFreeMiB, ...more })
  const needs = (gpuMiB: number, mainMiB: number): Partial<Backend> => ({
    memoryNeed: () => ({ mib: gpuMiB, why: 'weights' }),
    mainMemoryNeed: () => ({ mib: mainMiB, why: 'weights' }),
    fitOptions: ({ kind, count }) => [{ ...shorter, args: { kind }, count, mib: 100 }],
  })
  const none: GpuWish = { kind: 'none' }
  const any: GpuWish = { kind: 'counted', perReplica: 1, share: false }

  it.each([
    ['without GPUs by choice, with too little main memory', none, [card(0, 9000)], [9000, 9000], 'main', [8000]],
    ['without GPUs by choice, with enough', none, [card(0, 10)], [9000, 8000], undefined, []],
    ['on a machine without GPUs', undefined, [], [9000, 9000], 'main', [8000]],
    ['on a machine whose GPUs are broken', undefined, [card(0, 9000, { broken: 'lost' })], [100, 9000], 'main', [8000]],
    ['on all GPUs together, with too little', undefined, [card(0, 4000), card(1, 5000)], [9001, 1], 'gpus', [5000, 4000]],
    ['on all GPUs together, with enough', undefined, [card(0, 4000), card(1, 5000)], [9000, 90_000], undefined, []],
    ['on GPUs that tell nothing', undefined, [card(0, null)], [9001, 9001], undefined, []],
    ['that placement has judged', any, [card(0, 4000)], [9000, 9000], undefined, []],
  ] as const)('%s', (_, wish, gpus, [gpuMiB, mainMiB], kind, freeMiB) => {
    const plans = planOf({ replicas: 2, ...(wish === undefined ? {} : { gpus: wish }) })
    const tight = tightNodes(plans, { gpus, freeMainMiB: 8000 }, contextOf(needs(gpuMiB, mainMiB)))
    expect(tight.map(({ id, room: { kind: where, freeMiB: free } }) => [id, where, free])).toEqual(
      kind === undefined ? [] : [['demo/sim-0', kind, freeMiB]],
    )
    for (const { fits } of tight) expect(fits.ways[0]?.settings).toEqual({ 'launch.args.kind': kind })
  })

  it('are not judged where their engine expects nothing', () => {
    expect(tightNodes(planOf({ gpus: none }), { gpus: [], freeMainMiB: 1 }, contextOf({}))).toEqual([])
  })
})
