import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { MemoryRoom, NodeSpec } from '@plimsoll/core/plugin'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitOptions } from './fit-options.js'
import { ggufBytes, type GgufValue, tinyLlama } from './gguf-writer.test.fixture.js'
import { mainMemoryNeed, memoryNeed } from './memory-need.js'
import { modelFolders } from './model-folder.test.fixture.js'
import type { LlamacppSettings } from './settings.js'

const folderOf = modelFolders()
/** 32 layers x 8 heads x (128 + 128) numbers x 2 bytes = 128 KiB a token. */
const eightB = {
  ...tinyLlama,
  'llama.block_count': 32,
  'llama.context_length': 131_072,
  'llama.embedding_length': 4096,
  'llama.attention.head_count': 32,
  'llama.attention.head_count_kv': 8,
}
const WEIGHTS_MIB = 5120
/** What no formula names, and 512 x 1000 words x 4 bytes. */
const REST_MIB = 300 + 1.953125

function specOf(settings: LlamacppSettings, values: Readonly<Record<string, GgufValue>> = eightB): NodeSpec<LlamacppSettings> {
  const weights = join(folderOf({ 'm.gguf': ggufBytes({ values }) }), 'm.gguf')
  truncateSync(weights, WEIGHTS_MIB * 1024 ** 2)
  return { id: 'chat/a', url: '', models: ['m'], weights, settings }
}

const room = (freeMiB: readonly number[], more: Partial<MemoryRoom> = {}): MemoryRoom => ({ kind: 'gpus', count: 1, freeMiB, ...more })

/** What is to be set, with how much it then takes. */
function ways(settings: LlamacppSettings, where: MemoryRoom, values?: Readonly<Record<string, GgufValue>>) {
  return fitOptions(specOf(settings, values), where).map(({ args, change, count, mib }) => [change ?? args, count, mib])
}

describe('what would make a model fit', () => {
  it('is more cards, a smaller KV cache, less context, layers in main memory, with figures that come out by hand', () => {
    expect(memoryNeed(specOf({ contextTokens: 32_768 }))?.mib).toBe(Math.ceil(WEIGHTS_MIB + 4096 + REST_MIB))
    expect(ways({ contextTokens: 32_768 }, room([8000, 6000]))).toEqual([
      [{}, 2, Math.ceil(WEIGHTS_MIB + 4096 + REST_MIB)],
      [{ kvTypeK: 'q8_0', kvTypeV: 'q8_0' }, 1, Math.ceil(WEIGHTS_MIB + 2176 + REST_MIB)],
      [{ contextTokens: 20_480 }, 1, Math.ceil(WEIGHTS_MIB + 2560 + REST_MIB)],
      [{ gpuLayers: 27 }, 1, Math.ceil(((WEIGHTS_MIB + 4096) * 27) / 33 + REST_MIB)],
    ])
  })

  it('is a smaller file of the same model, where this one has many bits; said to be an estimate', () => {
    const [, , , last] = fitOptions(specOf({ contextTokens: 32_768 }), room([8000]))
    expect(last).toEqual({
      args: {},
      change: 'launch.model: a file of 4 bit per weight (Q4_K_M)',
      count: 1,
      mib: Math.ceil((WEIGHTS_MIB * 4.85) / 16 + 4096 + REST_MIB),
      why: 'an estimate: this one has 16.0 bit per weight; answers get a little worse',
    })
  })

  it('is fewer requests at once, each with the context that it had', () => {
    const [, slots] = fitOptions(specOf({ contextTokens: 32_768, slots: 4 }), room([8000]))
    expect(slots).toMatchObject({ args: { slots: 2, contextTokens: 16_384 }, mib: Math.ceil(WEIGHTS_MIB + 2048 + REST_MIB) })
    expect(slots?.why).toBe('each request keeps 8192 tokens; 2 run at once instead of 4')
    expect(ways({ contextTokens: 32_768, slots: 4, unifiedKv: true }, room([8000])).map(([set]) => set)).not.toContainEqual(
      expect.objectContaining({ slots: expect.anything() as number }),
    )
  })

  it('goes to the coarser KV type only where the finer does not do, and turns on what that needs', () => {
    const set = (settings: LlamacppSettings, free: number) => ways({ contextTokens: 32_768, ...settings }, room([free]))[0]?.[0]
    expect(set({}, 7000)).toEqual({ kvTypeK: 'q4_0', kvTypeV: 'q4_0' })
    expect(set({ kvTypeK: 'q8_0', kvTypeV: 'q8_0' }, 7000)).toEqual({ kvTypeK: 'q4_0', kvTypeV: 'q4_0' })
    expect(set({ flashAttention: 'off' }, 8000)).toEqual({ kvTypeK: 'q8_0', kvTypeV: 'q8_0', flashAttention: 'on' })
  })

  it('names no KV type that llama-server refuses for this model', () => {
    const odd = { ...eightB, 'llama.attention.key_length': 80, 'llama.attention.value_length': 80 }
    const latent = { ...eightB, 'llama.attention.kv_lora_rank': 512, 'llama.rope.dimension_count': 64 }
    for (const values of [odd, latent])
      expect(ways({ contextTokens: 131_072 }, room([6500]), values).map(([set]) => Object.keys(set as object)[0])).not.toContain('kvTypeK')
  })

  it('is layers or a smaller file where the weights alone are too large, and nothing where no way fits', () => {
    expect(ways({ contextTokens: 1024 }, room([3000]))).toEqual([
      [{ gpuLayers: 16 }, 1, Math.ceil(((WEIGHTS_MIB + 128) * 16) / 33 + REST_MIB)],
      ['launch.model: a file of 4 bit per weight (Q4_K_M)', 1, Math.ceil((WEIGHTS_MIB * 4.85) / 16 + 128 + REST_MIB)],
    ])
    expect(ways({ contextTokens: 1024 }, room([300]))).toEqual([])
  })

  it('is in main memory what needs no card', () => {
    const spec = specOf({ contextTokens: 32_768, gpuLayers: 0 })
    expect(mainMemoryNeed(spec)?.mib).toBe(Math.ceil(WEIGHTS_MIB + 4096 + REST_MIB))
    expect(
      fitOptions(spec, room([8000], { kind: 'main' })).map(({ args, change }) => Object.keys(args)[0] ?? change?.split(':')[0]),
    ).toEqual(['kvTypeK', 'contextTokens', 'launch.model'])
  })

  it('leaves shares that somebody wrote, and cards that one setting forbids are asked for with it', () => {
    const counts = (settings: LlamacppSettings) => ways({ contextTokens: 32_768, ...settings }, room([8000, 8000]))[0]
    expect(counts({ tensorSplit: [1] })?.[1]).toBe(1)
    expect(counts({ splitMode: 'none' })?.slice(0, 2)).toEqual([{ splitMode: 'layer' }, 2])
  })

  it('is nothing where nothing is known of the file', () => {
    expect(fitOptions({ id: 'a', url: '', models: [], weights: '/nowhere.gguf', settings: {} }, room([1000]))).toEqual([])
  })

  it('takes just what the estimate says with these settings, fits, and is one of four at most, whatever the model and the cards', () => {
    const shapes = fc.record({ contextTokens: fc.integer({ min: 1, max: 200_000 }), slots: fc.integer({ min: 1, max: 16 }) })
    const frees = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 4 })
    const spec = specOf({})
    fc.assert(
      fc.property(shapes, frees, fc.constantFrom<'gpus' | 'main'>('gpus', 'main'), (settings, free, kind) => {
        const where = room(kind === 'main' ? free.slice(0, 1) : free.toSorted((a, b) => b - a), { kind })
        const options = fitOptions({ ...spec, settings }, where)
        expect(options.length).toBeLessThanOrEqual(4)
        for (const { args, change, count, mib } of options) {
          expect(mib / count).toBeLessThanOrEqual(where.freeMiB[count - 1] ?? 0)
          const changed = { ...spec, settings: { ...settings, ...(args as LlamacppSettings) } }
          if (change === undefined) expect(mib).toBe((kind === 'main' ? mainMemoryNeed : memoryNeed)(changed)?.mib)
        }
      }),
      { numRuns: 100 },
    )
  })
})
