/** The files that `scripts/make-random-*.js` write, read back by their formats' rules. That engines load them is shown by the tests beside this one. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { makeModel, type ModelOptions } from './random-models.js'
import { readGguf } from './read-gguf.js'

const small: ModelOptions = { width: 64, layers: 3, contextTokens: 4096, seed: 7 }
const folder = mkdtempSync(join(tmpdir(), 'lb-models-'))
const gguf = (name: string, options = small) => readFileSync(makeModel('gguf', join(folder, name), options))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a random GGUF file', () => {
  const file = readGguf(gguf('small.gguf'))

  it('tells the shape of the model and a tokenizer whose lists agree', () => {
    expect(file.facts).toMatchObject({
      'general.architecture': 'llama',
      'llama.block_count': 3,
      'llama.context_length': 4096,
      'llama.embedding_length': 64,
      'llama.attention.head_count': 2,
      'llama.attention.head_count_kv': 1,
    })
    const tokens = file.facts['tokenizer.ggml.tokens'] as string[]
    expect(tokens).toHaveLength(file.facts['llama.vocab_size'] as number)
    expect(new Set(tokens).size).toBe(tokens.length)
    expect(file.facts['tokenizer.ggml.token_type']).toHaveLength(tokens.length)
    expect(tokens[file.facts['tokenizer.ggml.eos_token_id'] as number]).toBe('<|end|>')
    for (const merge of file.facts['tokenizer.ggml.merges'] as string[]) expect(tokens).toContain(merge.replace(' ', ''))
  })

  it('holds every tensor of a llama, each on its aligned place, to the last byte', () => {
    expect(file.tensors.map((tensor) => tensor.name)).toEqual([
      'token_embd.weight',
      ...[0, 1, 2].flatMap((layer) =>
        ['attn_norm', 'attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_norm', 'ffn_gate', 'ffn_up', 'ffn_down'].map(
          (part) => `blk.${layer}.${part}.weight`,
        ),
      ),
      'output_norm.weight',
      'output.weight',
    ])
    let end = 0
    for (const { offset, bytes } of file.tensors) {
      expect(offset).toBe(Math.ceil(end / 32) * 32)
      end = offset + bytes
    }
    expect(file.dataBytes).toBe(Math.ceil(end / 32) * 32)
  })

  it('is the same for the same seed and another for another', () => {
    expect(gguf('again.gguf').equals(gguf('small.gguf'))).toBe(true)
    expect(gguf('other.gguf', { ...small, seed: 8 }).equals(gguf('small.gguf'))).toBe(false)
  })

  it('keeps hidden channel 0 out of every layer, which is what forbids the end token', () => {
    const output = file.matrix('output.weight')
    const end = file.facts['tokenizer.ggml.eos_token_id'] as number
    expect(output(end, 0)).toBe(-40)
    for (const part of ['blk.1.attn_output.weight', 'blk.2.ffn_down.weight']) expect(file.matrix(part)(0, 5)).toBe(0)
    expect(file.matrix('token_embd.weight')(17, 0)).toBe(file.matrix('token_embd.weight')(300, 0))
  })
})

describe('a random Hugging Face folder', () => {
  const read = (name: string) => readFileSync(join(folder, 'hf', name))
  const json = (name: string) => JSON.parse(read(name).toString('utf8')) as unknown
  makeModel('hf', join(folder, 'hf'), small)
  const { model } = json('tokenizer.json') as { model: { vocab: Record<string, number>; merges: string[] } }
  const tokens = Object.entries(model.vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token)

  it('holds the same tokens and the same numbers as the GGUF file', () => {
    const file = readGguf(gguf('small.gguf'))
    expect(tokens).toEqual(file.facts['tokenizer.ggml.tokens'])
    expect(model.merges).toEqual(file.facts['tokenizer.ggml.merges'])
    const weights = read('model.safetensors')
    const dataAt = 8 + Number(weights.readBigUInt64LE(0))
    const table = JSON.parse(weights.toString('utf8', 8, dataAt)) as Record<string, { readonly data_offsets: [number, number] }>
    const [from] = table['lm_head.weight']?.data_offsets ?? [Number.NaN]
    const view = new DataView(weights.buffer, weights.byteOffset + dataAt + from)
    for (const [row, column] of [
      [0, 0],
      [3, 9],
      [200, 63],
    ] as const) {
      expect(view.getFloat16((row * 64 + column) * 2, true)).toBe(file.matrix('output.weight')(row, column))
    }
    expect(Math.max(...Object.values(table).map(({ data_offsets: [, to] }) => to))).toBe(weights.length - dataAt)
  })

  it('agrees with itself about sizes and special tokens', () => {
    const config = json('config.json') as Record<string, number>
    expect(config).toMatchObject({ vocab_size: tokens.length, hidden_size: 64, num_hidden_layers: 3, max_position_embeddings: 4096 })
    expect(tokens[config['eos_token_id'] ?? -1]).toBe('<|end|>')
  })
})

describe('the options of both scripts', () => {
  it('refuse a width that is no whole number of heads, and what is no number', () => {
    expect(() => makeModel('gguf', join(folder, 'bad.gguf'), { width: 100 })).toThrow(/--width 100: a multiple of 64/)
    expect(() => makeModel('hf', join(folder, 'bad'), { layers: 0 })).toThrow(/--layers 0: a whole number/)
  })
})
