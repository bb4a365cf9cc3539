#!/usr/bin/env node
/**
 * Writes a small model of random weights as a folder that vLLM and other readers of Hugging Face models load: `node scripts/make-random-hf.js tiny-hf --layers 8`.
 * Options: --seed, --width (a multiple of 64), --layers, --contextTokens. The same options give the same bytes, and the same text as the GGUF file's.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as model from './make-random-model.js'

if (import.meta.main) {
  const { values, positionals } = parseArgs(model.commandLine)
  if (positionals.length !== 1) throw new Error('Name one folder to write: node scripts/make-random-hf.js tiny-hf')
  mkdirSync(positionals[0], { recursive: true })
  for (const [name, content] of Object.entries(randomHfFolder(model.modelOptions(values))))
    writeFileSync(join(positionals[0], name), content)
}

/** The files of the folder, by name. */
export function randomHfFolder(options = model.defaults) {
  return {
    'config.json': json(config(options)),
    'generation_config.json': json({ ...specialIds(), do_sample: true }),
    'tokenizer.json': json(tokenizer()),
    'tokenizer_config.json': json(tokenizerConfig(options)),
    'model.safetensors': safetensors(model.tensors(options)),
  }
}

function config({ width, layers, contextTokens }) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    ...specialIds(),
    hidden_act: 'silu',
    hidden_size: width,
    head_dim: model.headWidth,
    intermediate_size: model.feedWidth(width),
    max_position_embeddings: contextTokens,
    num_attention_heads: model.heads(width),
    num_hidden_layers: layers,
    num_key_value_heads: model.keyHeads(width),
    rms_norm_eps: model.normEpsilon,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    torch_dtype: 'float16',
    vocab_size: model.vocabulary().tokens.length,
  }
}

function specialIds() {
  const { begin, end } = model.vocabulary()
  return { bos_token_id: begin, eos_token_id: end }
}

function tokenizer() {
  const { tokens, merges, begin, end } = model.vocabulary()
  const special = (id) => ({ id, content: tokens[id], single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  return {
    version: '1.0',
    added_tokens: [special(begin), special(end)],
    pre_tokenizer: byteLevel,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: model.beginToken, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
      special_tokens: { [model.beginToken]: { id: model.beginToken, ids: [begin], tokens: [model.beginToken] } },
    },
    decoder: byteLevel,
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: merges.map((pair) => pair.join(' ')) },
  }
}

function tokenizerConfig({ contextTokens }) {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: model.beginToken,
    eos_token: model.endToken,
    chat_template: model.chatTemplate,
    model_max_length: contextTokens,
  }
}

/** 8 bytes of length, a table in JSON padded with spaces to a multiple of 8, then the numbers. */
function safetensors(tensors) {
  const data = tensors.map((tensor) => model.halves(tensor.values()))
  let at = 0
  const table = Object.fromEntries(
    tensors.map(({ hf, rows, columns }, i) => {
      const from = at
      at += data[i].length
      return [hf, { dtype: 'F16', shape: rows === undefined ? [columns] : [rows, columns], data_offsets: [from, at] }]
    }),
  )
  const text = Buffer.from(JSON.stringify(table))
  const head = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(head.length))
  return Buffer.concat([length, head, ...data])
}

function json(value) {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
