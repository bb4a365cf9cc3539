import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MemoryRoom, NodeSpec } from '@plimsoll/core/plugin'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fitOptions } from './fit-options.js'
import { memoryNeed } from './memory-need.js'
import { specOf } from './node-spec.test.fixture.js'
import type { VllmSettings } from './settings.js'

/** 64 layers × 2 × 8 heads × 128 × 2 bytes = 256 KiB a token. */
const model = { num_hidden_layers: 64, num_attention_heads: 40, num_key_value_heads: 8, head_dim: 128, max_position_embeddings: 40_960 }
const WEIGHTS_MIB = 20_480

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'lb-vllm-fit-'))))
afterEach(() => rmSync(folder, { recursive: true }))

function launched(settings: VllmSettings = {}, figures: object = model): NodeSpec<VllmSettings> {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(figures))
  writeFileSync(join(folder, 'model.safetensors'), '')
  truncateSync(join(folder, 'model.safetensors'), WEIGHTS_MIB * 1024 ** 2)
  return specOf(settings, { weights: folder, environment: () => ({}) })
}

/** So much that vLLM, which takes 92 % of it, may use this. */
const room = (usableMiB: readonly number[], count = 1): MemoryRoom => ({
  kind: 'gpus',
  count,
  freeMiB: usableMiB.map((mib) => Math.ceil(mib / 0.92)),
})

function ways(settings: VllmSettings, where: MemoryRoom, figures?: object) {
  return fitOptions(launched(settings, figures), where).map(({ args, change, count, mib }) => [change ?? args, count, mib])
}

describe('what would make a model fit', () => {
  it('is more cards, an 8 bit KV cache, a shorter context, smaller weights, with figures that come out by hand', () => {
    expect(memoryNeed(launched())?.mib).toBe(20_480 + 10_240 + 2048)
    expect(ways({}, room([28_000, 20_000]))).toEqual([
      [{ tensorParallel: 2 }, 2, 20_480 + 10_240 + 2 * 2048],
      [{ kvCacheDtype: 'fp8' }, 1, 20_480 + 5120 + 2048],
      // 28000 - 20480 - 2048 = 5472 MiB: 21 times 1024 tokens of a quarter MiB each.
      [{ maxModelLen: 21_504 }, 1, 20_480 + 5376 + 2048],
      [{ quantization: 'fp8' }, 1, 11_264 + 10_240 + 2048],
    ])
  })

  it('is an estimate of a checkpoint of 4 bit, where only that would do, without the name of one', () => {
    expect(fitOptions(launched({ maxModelLen: 1024 }), room([9000]))).toEqual([
      {
        args: {},
        change: 'launch.model: a checkpoint of 4 bit (AWQ, GPTQ)',
        count: 1,
        mib: 6144 + 256 + 2048,
        why: 'an estimate; not looked for; answers get worse',
      },
    ])
    expect(ways({}, room([1000]))).toEqual([])
  })

  it('is both of 8 bit, weights and KV cache, where neither alone does', () => {
    expect(ways({}, room([20_000]))[0]).toEqual([{ quantization: 'fp8', kvCacheDtype: 'fp8' }, 1, 11_264 + 5120 + 2048])
  })

  it('divides only what comes out even, and among as many cards as there are', () => {
    const division = (cards: number, heads: number, settings: VllmSettings = {}) =>
      ways(settings, room(Array.from({ length: cards }, () => 14_000)), { ...model, num_attention_heads: heads })[0]?.slice(0, 2)
    expect(division(4, 40)).toEqual([{ tensorParallel: 4 }, 4])
    expect(division(3, 40)).not.toEqual([{ tensorParallel: 4 }, 4])
    expect(division(4, 42)).not.toEqual([{ tensorParallel: 4 }, 4])
    expect(division(4, 40, { pipelineParallel: 2, tensorParallel: 1 })).toEqual([{ tensorParallel: 2 }, 4])
  })

  it('offers nothing twice: files that are quantised, a KV cache that is small or set by hand', () => {
    const quantised = { ...model, quantization_config: { quant_method: 'awq' } }
    // 27000 - 20480 - 2048 = 4472 MiB: 34 times 1024 tokens of an eighth each.
    expect(ways({ kvCacheDtype: 'fp8' }, room([27_000]), quantised).map(([set]) => set)).toEqual([{ maxModelLen: 34_816 }])
    expect(ways({ kvCacheMemoryBytes: 1024 ** 3, quantization: 'fp8' }, room([13_000]))).toEqual([])
  })

  it('is nothing for main memory, or where the files are not here', () => {
    expect(fitOptions(launched(), { kind: 'main', count: 1, freeMiB: [28_000] })).toEqual([])
    expect(fitOptions(specOf({}, { weights: join(folder, 'none'), environment: () => ({}) }), room([28_000]))).toEqual([])
  })

  it('takes just what the estimate says with these settings, fits, and is one of four at most, whatever the cards', () => {
    const spec = launched()
    const settings = fc.record(
      {
        maxModelLen: fc.integer({ min: 1, max: 100_000 }),
        tensorParallel: fc.constantFrom(1, 2, 4),
        enforceEager: fc.boolean(),
        gpuMemoryUtilization: fc.constantFrom(0.5, 0.92),
      },
      { requiredKeys: [] },
    )
    const frees = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(settings, frees, (given, free) => {
        const where: MemoryRoom = { kind: 'gpus', count: given.tensorParallel ?? 1, freeMiB: free.toSorted((a, b) => b - a) }
        const options = fitOptions({ ...spec, settings: given }, where)
        expect(options.length).toBeLessThanOrEqual(4)
        for (const { args, change, count, mib } of options) {
          expect(mib / count).toBeLessThanOrEqual(where.freeMiB[count - 1] ?? 0)
          if (change === undefined) expect(mib).toBe(memoryNeed({ ...spec, settings: { ...given, ...(args as VllmSettings) } })?.mib)
        }
      }),
      { numRuns: 100 },
    )
  })
})
