import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ggufBytes, type GgufValue, tinyLlama } from './gguf-writer.test.fixture.js'
import { memoryNeed } from './memory-need.js'
import { modelFolders } from './model-folder.test.fixture.js'
import type { LlamacppSettings } from './settings.js'

const folderOf = modelFolders()

function needOf(settings: LlamacppSettings, values: Readonly<Record<string, GgufValue>> = tinyLlama) {
  const weights = join(folderOf({ 'm.gguf': ggufBytes({ values }) }), 'm.gguf')
  return memoryNeed({ id: 'chat/a', url: 'http://127.0.0.1:1', models: ['m'], weights, settings })
}

/** What is not KV and not rounding. */
const base = () => needOf({ contextTokens: 1 })?.mib ?? 0

describe('what a model needs of its GPUs', () => {
  it('is weights, KV cache and buffers, with the reasons', () => {
    // 2 layers x 2 heads x (16 + 16) numbers x 2 bytes = 256 bytes a token.
    const need = needOf({ contextTokens: 4 * 1024 * 1024 })
    expect((need?.mib ?? 0) - base()).toBe(1024)
    expect(need?.why).toBe('weights 0.0 GiB + KV 1.0 GiB at 4194304 tokens + 0.3 GiB')
  })

  it('shrinks with the types of the KV cache', () => {
    const need = needOf({ contextTokens: 4 * 1024 * 1024, kvTypeK: 'q8_0', kvTypeV: 'q4_0' })
    expect((need?.mib ?? 0) - base()).toBe(Math.round(1024 * (34 / 32 / 4 + 18 / 32 / 4)))
  })

  it('grows with the vocabulary and what is computed at once', () => {
    const words = Array.from({ length: 32_768 }, (_, index) => `${index}`)
    const of = (microBatchTokens: number) =>
      needOf({ contextTokens: 1, microBatchTokens }, { ...tinyLlama, 'tokenizer.ggml.tokens': words })?.mib
    expect((of(4096) ?? 0) - (of(2048) ?? 0)).toBe(256)
  })

  it('is that of the least context that llama-server fits, where none is asked for', () => {
    expect(needOf({})?.why).toContain('at 4096 tokens, the least that --fit leaves')
    expect(needOf({}, { ...tinyLlama, 'llama.context_length': 1024 })?.why).toContain('at 1024 tokens')
  })

  it('is a share of it with some layers in main memory, and buffers alone with all', () => {
    const all = needOf({ contextTokens: 12 * 1024 * 1024 })?.mib ?? 0
    const two = needOf({ contextTokens: 12 * 1024 * 1024, gpuLayers: 2 })
    expect(all - (two?.mib ?? 0)).toBe(1024)
    expect(two?.why).toContain('2 of 3 layers')
    expect(needOf({ contextTokens: 12 * 1024 * 1024, gpuLayers: 0 })?.mib).toBe(302)
    expect(needOf({ contextTokens: 1, gpuLayers: 99 })?.mib).toBe(base())
  })

  it('counts layers without a cache, and one row for all heads', () => {
    const perToken = (values: Readonly<Record<string, GgufValue>>) =>
      (needOf({ contextTokens: 1024 * 1024 }, { ...tinyLlama, ...values })?.mib ?? 0) - base()
    expect(perToken({ 'llama.attention.head_count_kv': [2, 0] })).toBe(128)
    expect(perToken({ 'llama.attention.key_length': 32, 'llama.attention.value_length': 32 })).toBe(512)
    expect(perToken({ 'llama.attention.kv_lora_rank': 48, 'llama.rope.dimension_count': 16 })).toBe(256)
  })

  it('counts projector and adapters, and all parts of a split model', () => {
    const part = Buffer.concat([ggufBytes(), Buffer.alloc(3 * 1024 * 1024)])
    const folder = folderOf({ 'm-00001-of-00002.gguf': part, 'm-00002-of-00002.gguf': part, 'p.gguf': part, 'l.gguf': part })
    const of = (settings: LlamacppSettings) =>
      memoryNeed({
        id: 'a',
        url: '',
        models: [],
        weights: join(folder, 'm-00001-of-00002.gguf'),
        settings: { contextTokens: 1, ...settings },
      })
    expect((of({})?.mib ?? 0) - base()).toBeGreaterThanOrEqual(5)
    const more = of({ mmproj: join(folder, 'p.gguf'), loras: [{ path: join(folder, 'l.gguf'), scale: 1 }] })
    expect((more?.mib ?? 0) - (of({})?.mib ?? 0)).toBeGreaterThanOrEqual(5)
  })

  it('is known of a repository that was fetched before', () => {
    const hub = folderOf({})
    const snapshot = join(hub, 'models--org--tiny-GGUF', 'snapshots', 'abc')
    mkdirSync(snapshot, { recursive: true })
    writeFileSync(join(snapshot, 'tiny-Q8_0.gguf'), ggufBytes())
    const spec = { id: 'a', url: '', models: [], settings: { contextTokens: 1 }, environment: () => ({ HF_HUB_CACHE: hub }) }
    expect(memoryNeed({ ...spec, weights: 'hf:org/tiny-GGUF:Q8_0' })?.mib).toBe(base())
    expect(memoryNeed({ ...spec, weights: 'hf:org/tiny-GGUF:Q4_0' })).toBeUndefined()
  })

  it.each(['/nowhere/m.gguf', 'hf:org/repo', undefined])('is unknown for %s', (weights) => {
    const spec = { id: 'a', url: '', models: [], settings: {}, ...(weights === undefined ? {} : { weights }) }
    expect(memoryNeed(spec)).toBeUndefined()
  })
})
