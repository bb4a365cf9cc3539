#!/usr/bin/env node
/**
 * Writes a small model of random weights as a GGUF file, which llama-server and Ollama load: `node scripts/make-random-gguf.js tiny.gguf --seed 2 --layers 8`.
 * Options: --seed, --width (a multiple of 64), --layers, --contextTokens. The same options give the same bytes.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as model from './make-random-model.js'

const type = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 }
const tensorType = { f32: 0, f16: 1 }
const tokenType = { normal: 1, control: 3 }
const alignment = 32

if (import.meta.main) {
  const { values, positionals } = parseArgs(model.commandLine)
  if (positionals.length !== 1) throw new Error('Name one file to write: node scripts/make-random-gguf.js tiny.gguf')
  writeFileSync(positionals[0], randomGguf(model.modelOptions(values)))
}

/** The bytes of the file: header, facts, list of tensors, padding, numbers. */
export function randomGguf(options = model.defaults) {
  const tensors = model.tensors(options)
  const facts = factsOf(options)
  const data = tensors.map(bytesOf)
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(facts.length),
    ...facts.map(([name, kind, value]) => Buffer.concat([string(name), u32(kind[0]), encoded(kind, value)])),
    ...tensors.map((tensor, i) => tensorHead(tensor, offsetOf(data, i))),
  ])
  return Buffer.concat([padded(head), ...data])
}

function factsOf({ width, layers, contextTokens }) {
  const { tokens, merges, begin, end } = model.vocabulary()
  return [
    ['general.architecture', [type.string], 'llama'],
    ['general.name', [type.string], `Random ${width}x${layers}`],
    ['general.file_type', [type.u32], 1],
    ['general.quantization_version', [type.u32], 2],
    ['general.alignment', [type.u32], alignment],
    ['llama.context_length', [type.u32], contextTokens],
    ['llama.embedding_length', [type.u32], width],
    ['llama.block_count', [type.u32], layers],
    ['llama.feed_forward_length', [type.u32], model.feedWidth(width)],
    ['llama.attention.head_count', [type.u32], model.heads(width)],
    ['llama.attention.head_count_kv', [type.u32], model.keyHeads(width)],
    ['llama.attention.layer_norm_rms_epsilon', [type.f32], model.normEpsilon],
    ['llama.rope.dimension_count', [type.u32], model.headWidth],
    ['llama.rope.freq_base', [type.f32], 10_000],
    ['llama.vocab_size', [type.u32], tokens.length],
    ['tokenizer.ggml.model', [type.string], 'gpt2'],
    ['tokenizer.ggml.pre', [type.string], 'gpt-2'],
    ['tokenizer.ggml.tokens', [type.array, type.string], tokens],
    ['tokenizer.ggml.token_type', [type.array, type.i32], tokens.map((_, id) => (id < begin ? tokenType.normal : tokenType.control))],
    ['tokenizer.ggml.merges', [type.array, type.string], merges.map((pair) => pair.join(' '))],
    ['tokenizer.ggml.bos_token_id', [type.u32], begin],
    ['tokenizer.ggml.eos_token_id', [type.u32], end],
    ['tokenizer.ggml.add_bos_token', [type.bool], true],
    ['tokenizer.ggml.add_eos_token', [type.bool], false],
    ['tokenizer.chat_template', [type.string], model.chatTemplate],
  ]
}

function encoded([kind, ...inner], value) {
  if (kind === type.array) return Buffer.concat([u32(inner[0]), u64(value.length), ...value.map((item) => encoded(inner, item))])
  if (kind === type.string) return string(value)
  if (kind === type.bool) return Buffer.from([value ? 1 : 0])
  return kind === type.f32 ? f32(value) : u32(value)
}

/** Dimensions stand innermost first. */
function tensorHead({ gguf, rows, columns }, offset) {
  const dimensions = rows === undefined ? [columns] : [columns, rows]
  const kind = rows === undefined ? tensorType.f32 : tensorType.f16
  return Buffer.concat([string(gguf), u32(dimensions.length), ...dimensions.map(u64), u32(kind), u64(offset)])
}

/** Vectors stay 32 bits wide, as engines expect of norms. */
function bytesOf(tensor) {
  const values = tensor.values()
  return padded(tensor.rows === undefined ? Buffer.from(values.buffer) : model.halves(values))
}

function offsetOf(data, index) {
  return data.slice(0, index).reduce((sum, bytes) => sum + bytes.length, 0)
}

function padded(bytes) {
  return Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)])
}

function string(text) {
  const bytes = Buffer.from(text)
  return Buffer.concat([u64(bytes.length), bytes])
}

function u32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function f32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}

function u64(value) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
