import { describe, expect, it } from 'vitest'
import { chooseFiles } from './choose-files.js'
import { parseHubReference } from './hub-reference.js'

const of = (...paths: string[]) => paths.map((path) => ({ path, bytes: 1 }))
const chosen = (files: readonly string[], text = 'o/m', more: object = {}) =>
  chooseFiles(of(...files), { reference: parseHubReference(text) ?? { repo: '' }, ...more }).map(({ path }) => path)

describe('which files make a model', () => {
  const transformers = [
    '.gitattributes',
    'README.md',
    'config.json',
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
    'tokenizer.json',
  ]

  it('safetensors with all that belongs to them, and no second format', () => {
    expect(
      chosen([...transformers, 'pytorch_model.bin', 'original/consolidated.00.pth', 'consolidated.safetensors', 'onnx/model.onnx']),
    ).toEqual(transformers.slice(1))
  })

  it('keeps the only weights there are, whatever they are', () => {
    expect(chosen(['config.json', 'pytorch_model.bin'])).toEqual(['config.json', 'pytorch_model.bin'])
    expect(chosen(['params.json', 'consolidated.safetensors'])).toEqual(['params.json', 'consolidated.safetensors'])
  })

  const ggufs = ['README.md', 'm-Q8_0.gguf', 'm-Q4_K_M.gguf', 'm-IQ4_K_M.gguf', 'mmproj-m-f16.gguf', 'mmproj-m-Q8_0.gguf']

  it.each([
    ['o/m', ['m-Q4_K_M.gguf', 'mmproj-m-f16.gguf']],
    ['o/m:q8_0', ['m-Q8_0.gguf', 'mmproj-m-f16.gguf']],
    ['o/m/m-Q8_0.gguf', ['m-Q8_0.gguf']],
  ])('of GGUF files one quantisation, and what sees for it: %s', (text, files) => {
    expect(chosen(ggufs, text)).toEqual(files)
  })

  it('all parts of a split file, and of one model only', () => {
    const parts = ['big/m-Q4_K_M-00001-of-00002.gguf', 'big/m-Q4_K_M-00002-of-00002.gguf', 'small/s-Q4_K_M.gguf']
    expect(chosen(parts, 'o/m:Q4_K_M')).toEqual(parts.slice(0, 2))
  })

  it('one GGUF also where safetensors lie beside it, when that is what the engine loads', () => {
    expect(chosen(['model.safetensors', 'm-f16.gguf'], 'o/m', { gguf: true })).toEqual(['m-f16.gguf'])
  })

  it('what was asked for by name', () => {
    expect(chosen(transformers, 'o/m', { include: ['*.json'] })).toEqual(['config.json', 'tokenizer.json'])
    expect(chosen(transformers, 'o/m', { exclude: ['*.safetensors', 'README.md'] })).toEqual(['config.json', 'tokenizer.json'])
  })
})

describe('references to a hub', () => {
  it.each([
    ['Qwen/Qwen3-4B', { repo: 'Qwen/Qwen3-4B' }],
    ['hf:ggml-org/Qwen3-4B-GGUF:Q4_K_M', { repo: 'ggml-org/Qwen3-4B-GGUF', quant: 'Q4_K_M' }],
    ['o/m@v1.0', { repo: 'o/m', revision: 'v1.0' }],
    ['o/m@refs/pr/3:Q8_0', { repo: 'o/m', revision: 'refs/pr/3', quant: 'Q8_0' }],
    ['https://huggingface.co/o/m', { repo: 'o/m' }],
    ['o/m/sub/file.gguf', { repo: 'o/m', file: 'sub/file.gguf' }],
    ['/models/m.gguf', undefined],
    ['./m', undefined],
    ['../o/m', undefined],
    ['llama3.2', undefined],
    ['o/m/../../x', undefined],
  ])('%s', (text, reference) => {
    expect(parseHubReference(text)).toEqual(reference)
  })
})
