import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { MemoryRoom } from '@plimsoll/core/plugin'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitOptions } from './fit-options.js'
import { type MemorySettings, needWith } from './memory-need.js'
import { launched } from './spec.test.fixture.js'

const WEIGHTS_MIB = 10_240
const room = (freeMiB: readonly number[], more: Partial<MemoryRoom> = {}): MemoryRoom => ({ kind: 'gpus', count: 1, freeMiB, ...more })
const ways = (settings: Partial<MemorySettings>, where: MemoryRoom) =>
  fitOptions(WEIGHTS_MIB, { parallel: 4, ...settings }, where).map(({ args, count, mib }) => [args, count, mib])

describe('what would make an Ollama’s model fit', () => {
  it('is more cards, a smaller KV cache, fewer at once, a shorter context, with figures that come out by hand', () => {
    // A fifth of the weights for 4 × 4096 tokens: 2048 MiB, so 4096 for twice as many.
    expect(needWith(WEIGHTS_MIB, { parallel: 4, contextTokens: 8192 }).mib).toBe(10_240 + 4096 + 512)
    expect(ways({ contextTokens: 8192 }, room([13_000, 9000]))).toEqual([
      [{}, 2, 10_240 + 4096 + 512],
      [{ kvCacheType: 'q8_0', flashAttention: true }, 1, 10_240 + 2176 + 512],
      [{ parallel: 2 }, 1, 10_240 + 2048 + 512],
      [{ contextTokens: 4096 }, 1, 10_240 + 2048 + 512],
    ])
  })

  it('goes to the coarser KV type only where the finer does not do, and knows that without flash attention there is none', () => {
    const first = (settings: Partial<MemorySettings>, free: number) => ways({ contextTokens: 8192, ...settings }, room([free]))[0]?.[0]
    expect(first({}, 12_000)).toEqual({ kvCacheType: 'q4_0', flashAttention: true })
    expect(first({ kvCacheType: 'q8_0' }, 12_000)).toEqual({ kvCacheType: 'q4_0', flashAttention: true })
    expect(first({ kvCacheType: 'q8_0', flashAttention: false }, 13_000)).toEqual({ kvCacheType: 'q8_0', flashAttention: true })
    expect(first({ kvCacheType: 'q4_0' }, 11_500)).toEqual({ parallel: 2 })
  })

  it('is nothing where the weights alone are too large, or are not pulled', () => {
    expect(ways({}, room([10_000]))).toEqual([])
    expect(fitOptions(undefined, { parallel: 4 }, room([80_000]))).toEqual([])
  })

  it('comes from what is pulled, through the backend; in main memory without more cards', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lb-ollama-fit-'))
    try {
      const manifest = join(folder, 'manifests', 'registry.ollama.ai', 'library', 'big', 'latest')
      mkdirSync(dirname(manifest), { recursive: true })
      writeFileSync(
        manifest,
        JSON.stringify({ layers: [{ mediaType: 'application/vnd.ollama.image.model', size: WEIGHTS_MIB * 1024 ** 2 }] }),
      )
      const environment = () => ({ HOME: folder })
      const backend = launched('http://127.0.0.1:1', { modelsDir: folder, contextTokens: 8192 }, { weights: 'big', environment })
      expect(backend.memoryNeed?.()?.mib).toBe(10_240 + 4096 + 512)
      expect(backend.mainMemoryNeed?.()).toEqual(backend.memoryNeed?.())
      expect(backend.fitOptions?.(room([13_000], { kind: 'main' })).map(({ args }) => Object.keys(args)[0])).toEqual([
        'kvCacheType',
        'parallel',
        'contextTokens',
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('takes just what the estimate says with these settings, and fits, whatever the model and the cards', () => {
    const settings = fc.record(
      {
        parallel: fc.integer({ min: 1, max: 64 }),
        contextTokens: fc.integer({ min: 256, max: 100_000 }),
        kvCacheType: fc.constantFrom<'f16' | 'q8_0' | 'q4_0'>('f16', 'q8_0', 'q4_0'),
        flashAttention: fc.boolean(),
      },
      { requiredKeys: ['parallel'] },
    )
    const frees = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(settings, frees, fc.integer({ min: 1, max: 100_000 }), (given, free, weightsMib) => {
        const where = room(free.toSorted((a, b) => b - a))
        for (const { args, count, mib } of fitOptions(weightsMib, given, where)) {
          expect(mib / count).toBeLessThanOrEqual(where.freeMiB[count - 1] ?? 0)
          expect(mib).toBe(needWith(weightsMib, { ...given, ...(args as Partial<MemorySettings>) }).mib)
        }
      }),
    )
  })
})
