import { createStrategyRegistry, resolveTopology } from '@plimsoll/core'
import { describe, expect, it } from 'vitest'
import { plugin } from './index.js'
import { goDurationMs } from './settings.js'
import { launched } from './spec.test.fixture.js'

const slot = { host: '127.0.0.1', port: 18_400, replica: 0, extraPorts: [] } as const
const envOf = (settings: Parameters<typeof launched>[1]) => launched('http://127.0.0.1:18400', settings).launchPlan?.(slot).env

describe('launching Ollama', () => {
  it('is `ollama serve` with everything in the environment', () => {
    expect(launched('http://127.0.0.1:18400').launchPlan?.(slot)).toEqual({
      command: 'ollama',
      args: ['serve'],
      env: {
        OLLAMA_HOST: '127.0.0.1:18400',
        OLLAMA_NUM_PARALLEL: '4',
        OLLAMA_KEEP_ALIVE: '-1',
        OLLAMA_LOAD_TIMEOUT: '10m',
        OLLAMA_NOPRUNE: '1',
        OLLAMA_NO_CLOUD: '1',
      },
      readyWithinMs: 660_000,
    })
  })

  it('hands every setting on', () => {
    expect(
      envOf({
        modelsDir: '/srv/models',
        parallel: 8,
        maxLoadedModels: 2,
        maxQueue: 64,
        keepAlive: '30m',
        contextTokens: 16_384,
        kvCacheType: 'q8_0',
        spread: true,
        gpuOverheadMiB: 512,
        loadTimeout: 0,
        noPrune: false,
        cloud: true,
      }),
    ).toEqual({
      OLLAMA_HOST: '127.0.0.1:18400',
      OLLAMA_MODELS: '/srv/models',
      OLLAMA_NUM_PARALLEL: '8',
      OLLAMA_MAX_LOADED_MODELS: '2',
      OLLAMA_MAX_QUEUE: '64',
      OLLAMA_KEEP_ALIVE: '30m',
      OLLAMA_LOAD_TIMEOUT: '0',
      OLLAMA_CONTEXT_LENGTH: '16384',
      OLLAMA_FLASH_ATTENTION: '1',
      OLLAMA_KV_CACHE_TYPE: 'q8_0',
      OLLAMA_SCHED_SPREAD: '1',
      OLLAMA_GPU_OVERHEAD: '536870912',
    })
  })

  it('listens on an address of IPv6 too', () => {
    expect(launched('http://[fd00::5]:1').launchPlan?.({ ...slot, host: 'fd00::5' })?.env['OLLAMA_HOST']).toBe('[fd00::5]:18400')
  })

  it('leaves flash attention alone where nobody asked for it', () => {
    expect(envOf({ kvCacheType: 'f16' })).not.toHaveProperty('OLLAMA_FLASH_ATTENTION')
    expect(envOf({ kvCacheType: 'q8_0', flashAttention: false })).toMatchObject({ OLLAMA_FLASH_ATTENTION: '0' })
  })

  it.each([
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    [90, 90_000],
    ['90', 90_000],
    ['0', undefined],
    ['-1', undefined],
    ['-5m', undefined],
  ])('reads %j as %j ms', (text, ms) => {
    expect(goDurationMs(text)).toBe(ms)
  })
})

describe('launch.args of ollama', () => {
  const resolve = (args: object) =>
    resolveTopology(
      { pools: { chat: { models: ['llama3.2'], nodes: [{ engine: 'ollama', launch: { args } }] } } },
      { engines: new Map([['ollama', plugin]]), strategies: createStrategyRegistry().catalogue, cwd: '/', name: 't' },
    )

  it('have defaults', async () => {
    const { pools } = await resolve({})
    expect(pools[0]?.groups[0]?.launch?.settings).toMatchObject({
      parallel: 4,
      keepAlive: -1,
      pull: 'missing',
      preload: true,
      noPrune: true,
    })
  })

  it.each([
    { keepAlive: '5 minutes' },
    { modelsDir: '~/models' },
    { parallel: 0 },
    { kvCacheType: 'q5' },
    { paralel: 2 },
    { keepAlive: true },
  ])('are refused at %j', async (args) => {
    await expect(resolve(args)).rejects.toThrow(/launch\.args/)
  })

  it.each([{ keepAlive: '1h30m' }, { keepAlive: -1 }, { keepAlive: '-1' }, { modelsDir: '/srv/models' }])(
    'are fine at %j',
    async (args) => {
      await expect(resolve(args)).resolves.toBeDefined()
    },
  )
})
