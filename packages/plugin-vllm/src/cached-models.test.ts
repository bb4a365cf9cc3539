import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cachedModels } from './cached-models.js'

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lb-hub-'))
})

afterEach(() => rmSync(home, { recursive: true, force: true }))

/** As huggingface_hub lays it out: refs/main names the commit, snapshots/COMMIT has the files. */
function cache(id: string, files: Readonly<Record<string, string>>, ageS = 0): void {
  const folder = join(home, 'hub', `models--${id.replaceAll('/', '--')}`)
  const snapshot = join(folder, 'snapshots', 'c0ffee')
  mkdirSync(join(folder, 'refs'), { recursive: true })
  mkdirSync(snapshot, { recursive: true })
  writeFileSync(join(folder, 'refs', 'main'), 'c0ffee')
  const atS = Date.now() / 1000 - ageS
  utimesSync(join(folder, 'refs', 'main'), atS, atS)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(snapshot, name), text)
}

const found = () => cachedModels({ HF_HOME: home })
const config = (architecture: string) => ({ 'config.json': JSON.stringify({ architectures: [architecture] }) })

describe('models in the cache', () => {
  it('that vLLM could serve as they are, are found, newest first', () => {
    cache('org/older', { ...config('LlamaForCausalLM'), 'model.safetensors': 'x' }, 3600)
    cache('org/Newer-4B', { ...config('Gemma3ForConditionalGeneration'), 'model.safetensors': 'x' })
    expect(found()).toEqual(['org/Newer-4B', 'org/older'])
  })

  it('that embed, are half there, hold GGUF files alone or nothing readable, are left out', () => {
    cache('org/embed', { ...config('BertModel'), 'model.safetensors': 'x' })
    cache('org/half', {
      ...config('LlamaForCausalLM'),
      'model.safetensors.index.json': '{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}',
      'one.safetensors': 'x',
    })
    cache('org/model-GGUF', { 'model-q4.gguf': 'x' })
    cache('org/config-only', config('LlamaForCausalLM'))
    cache('org/broken', { 'config.json': '{', 'model.safetensors': 'x' })
    expect(found()).toEqual([])
  })

  it('are none where there is no cache', () => {
    expect(cachedModels({ HF_HOME: join(home, 'gone') })).toEqual([])
  })
})
