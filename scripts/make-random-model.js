/**
 * A small language model of random weights, for tests of real engines: no weights have to be fetched, and every machine gets the same bytes. Its text is noise of
 * lower-case syllables; its protocol is real. `make-random-gguf.js` and `make-random-hf.js` write it down.
 *
 * It never ends an answer by itself: hidden channel 0 is the same for every token and no layer writes to it, so a row of the output matrix can forbid its token there.
 */

export const beginToken = '<|begin|>'
export const endToken = '<|end|>'
export const chatTemplate =
  "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"

/** What every write-up of a model needs; `width` is a multiple of `headWidth`. */
export const defaults = { seed: 1, width: 128, layers: 2, contextTokens: 32_768 }
export const headWidth = 32
export const normEpsilon = 1e-5

const constant = 8
/** Bias of a token through channel 0, about a fifth of what its logit changes by. */
const forbidden = -40
const frequent = { ' ': 0.2, '.': -0.2, ',': -0.2 }

/** Bytes, then syllables made of two of them, then the two special tokens. As GPT-2 writes them: one printable character a byte. */
export function vocabulary() {
  const letters = byteLetters()
  const merges = Array.from('bcdfghjklmnpqrstvwxz').flatMap((consonant) => Array.from('aeiou').map((vowel) => [consonant, vowel]))
  const tokens = [...letters, ...merges.map((pair) => pair.join('')), beginToken, endToken]
  return { tokens, merges, begin: tokens.length - 2, end: tokens.length - 1 }
}

/** Every tensor with its names in a GGUF file and in a Hugging Face folder; `rows` absent: a vector. `values()` makes the numbers, row by row. */
export function tensors(options) {
  const { width, layers } = options
  const { tokens } = vocabulary()
  const vector = (gguf, hf) => ({ gguf, hf, columns: width, values: () => new Float32Array(width).fill(1) })
  const matrix = (gguf, hf, [rows, columns], change = () => undefined) => ({
    gguf,
    hf,
    rows,
    columns,
    values() {
      const values = randomRows(`${options.seed} ${gguf}`, rows, columns)
      change(values)
      return values
    },
  })
  const keyWidth = headWidth * keyHeads(width)
  const residual = (values) => {
    for (let i = 0; i < values.length; i += 1) values[i] /= Math.sqrt(2 * layers)
    values.fill(0, 0, values.length / width)
  }
  return [
    matrix('token_embd.weight', 'model.embed_tokens.weight', [tokens.length, width], (values) => {
      for (let i = 0; i < values.length; i += 1) values[i] = i % width === 0 ? constant : values[i] * Math.sqrt(width)
    }),
    ...Array.from({ length: layers }, (_, layer) => [
      vector(`blk.${layer}.attn_norm.weight`, `model.layers.${layer}.input_layernorm.weight`),
      matrix(`blk.${layer}.attn_q.weight`, `model.layers.${layer}.self_attn.q_proj.weight`, [width, width]),
      matrix(`blk.${layer}.attn_k.weight`, `model.layers.${layer}.self_attn.k_proj.weight`, [keyWidth, width]),
      matrix(`blk.${layer}.attn_v.weight`, `model.layers.${layer}.self_attn.v_proj.weight`, [keyWidth, width]),
      matrix(`blk.${layer}.attn_output.weight`, `model.layers.${layer}.self_attn.o_proj.weight`, [width, width], residual),
      vector(`blk.${layer}.ffn_norm.weight`, `model.layers.${layer}.post_attention_layernorm.weight`),
      matrix(`blk.${layer}.ffn_gate.weight`, `model.layers.${layer}.mlp.gate_proj.weight`, [feedWidth(width), width]),
      matrix(`blk.${layer}.ffn_up.weight`, `model.layers.${layer}.mlp.up_proj.weight`, [feedWidth(width), width]),
      matrix(`blk.${layer}.ffn_down.weight`, `model.layers.${layer}.mlp.down_proj.weight`, [width, feedWidth(width)], residual),
    ]).flat(),
    vector('output_norm.weight', 'model.norm.weight'),
    matrix('output.weight', 'lm_head.weight', [tokens.length, width], (values) => {
      for (const [row, token] of tokens.entries()) values[row * width] = bias(token)
    }),
  ]
}

export const heads = (width) => width / headWidth
export const keyHeads = (width) => Math.max(1, heads(width) / 2)
export const feedWidth = (width) => 2 * width

/** Numbers as 16-bit floats, little-endian. */
export function halves(values) {
  const bytes = Buffer.alloc(values.length * 2)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (const [i, value] of values.entries()) view.setFloat16(i * 2, value, true)
  return bytes
}

/** Options from a command line; what it does not name keeps its default. */
export function modelOptions(values) {
  const options = { ...defaults }
  for (const name of Object.keys(defaults)) {
    if (values[name] === undefined) continue
    options[name] = Number(values[name])
    if (!Number.isSafeInteger(options[name]) || options[name] < 1)
      throw new Error(`--${name} ${values[name]}: a whole number of at least 1`)
  }
  if (options.width % (2 * headWidth) !== 0) throw new Error(`--width ${options.width}: a multiple of ${2 * headWidth}`)
  return options
}

/** As `parseArgs` of node:util wants them. */
export const commandLine = {
  allowPositionals: true,
  options: Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' }])),
}

function bias(token) {
  if (/^[a-z]+$/.test(token)) return 0
  return { Ġ: frequent[' '], '.': frequent['.'], ',': frequent[','] }[token] ?? forbidden
}

/** GPT-2's table: printable bytes stand for themselves, the others for characters from U+0100 on. */
function byteLetters() {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
    return String.fromCodePoint(printable ? byte : next++)
  })
}

/** Evenly spread numbers whose square sums to 1 over a row, on average. */
function randomRows(seed, rows, columns) {
  const random = randomSource(seed)
  const spread = Math.sqrt(3 / columns)
  return Float32Array.from({ length: rows * columns }, () => (random() * 2 - 1) * spread)
}

/** Equal seeds give equal numbers of 0..1: FNV-1a over the seed's text, then a 32-bit counter through a mixing function. */
function randomSource(seed) {
  let state = 0x811c9dc5
  for (const byte of Buffer.from(seed)) state = Math.imul(state ^ byte, 0x01000193)
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}
