import { describe, expect, it } from 'vitest'
import { askedModels, canonicalName, servedNames } from './model-names.js'
import { partsOf } from './models-on-disk.js'

describe('names of models', () => {
  it('mean :latest without a tag, also behind a registry with a port', () => {
    expect(canonicalName('Llama3.2')).toBe('llama3.2:latest')
    expect(canonicalName('reg.local:5000/team/m')).toBe('reg.local:5000/team/m:latest')
    expect(canonicalName('qwen3:4b')).toBe('qwen3:4b')
    expect(servedNames(['a:latest', 'a', 'b:1'])).toEqual(['a:latest', 'a', 'b:1'])
  })

  it('lead to where the files lie', () => {
    expect(partsOf('llama3.2')).toEqual({ host: 'registry.ollama.ai', path: 'library/llama3.2', tag: 'latest' })
    expect(partsOf('me/m:1')).toEqual({ host: 'registry.ollama.ai', path: 'me/m', tag: '1' })
    expect(partsOf('hf.co/org/repo-GGUF:Q4_K_M')).toEqual({ host: 'hf.co', path: 'org/repo-GGUF', tag: 'Q4_K_M' })
    expect(partsOf('reg.local:5000/team/m')).toEqual({ host: 'reg.local:5000', path: 'team/m', tag: 'latest' })
  })

  it('that requests use are the name there, else the weights, else each of the pool, once', () => {
    expect(askedModels({ models: ['a', 'A:latest', 'b'] })).toEqual(['A:latest', 'b'])
    expect(askedModels({ models: ['a'], weights: 'w' })).toEqual(['w'])
    expect(askedModels({ models: ['a'], weights: 'w', model: 'm' })).toEqual(['m'])
  })
})
