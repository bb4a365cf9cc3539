export type GgufValue = number | string | readonly number[] | readonly string[] | { readonly float: number } | boolean

export interface GgufParts {
  readonly values?: Readonly<Record<string, GgufValue>>
  /** Name, dimensions, type (1 is F16). */
  readonly tensors?: readonly (readonly [name: string, dimensions: readonly number[], type: number])[]
  readonly version?: number
  readonly magic?: string
}

/** A small model in words: 2 layers of 4 heads (2 for keys and values) with 16 numbers each. */
export const tinyLlama: Readonly<Record<string, GgufValue>> = {
  'general.architecture': 'llama',
  'general.type': 'model',
  'general.name': 'tiny',
  'llama.block_count': 2,
  'llama.context_length': 8192,
  'llama.embedding_length': 64,
  'llama.attention.head_count': 4,
  'llama.attention.head_count_kv': 2,
  'llama.rope.freq_base': { float: 10_000 },
  'tokenizer.ggml.add_bos_token': true,
  'tokenizer.ggml.tokens': Array.from({ length: 1000 }, (_, index) => `w${index}`),
  'tokenizer.ggml.scores': Array.from({ length: 1000 }, () => 0),
}

/** The bytes of a GGUF file: header, padding, and as much data as its tensors need. */
export function ggufBytes({ values = tinyLlama, tensors = [['a', [64, 64], 1]], version = 3, magic = 'GGUF' }: GgufParts = {}): Buffer {
  const keys = Object.entries(values).map(([name, value]) => Buffer.concat([text(name), typed(value)]))
  let offset = 0
  const infos = tensors.map(([name, dimensions, type]) => {
    const info = Buffer.concat([text(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(offset)])
    offset += dimensions.reduce((product, dimension) => product * dimension, 2)
    return info
  })
  const header = Buffer.concat([Buffer.from(magic), u32(version), u64(tensors.length), u64(keys.length), ...keys, ...infos])
  const padding = Buffer.alloc((32 - (header.byteLength % 32)) % 32)
  return Buffer.concat([header, padding, Buffer.alloc(offset)])
}

function typed(value: GgufValue): Buffer {
  if (typeof value === 'string') return Buffer.concat([u32(8), text(value)])
  if (typeof value === 'boolean') return Buffer.concat([u32(7), Buffer.from([value ? 1 : 0])])
  if (typeof value === 'number') return Buffer.concat([u32(4), u32(value)])
  if ('float' in value) return Buffer.concat([u32(6), float(value.float)])
  const isText = typeof value[0] === 'string'
  const items = value.map((item) => (typeof item === 'string' ? text(item) : u32(item)))
  return Buffer.concat([u32(9), u32(isText ? 8 : 5), u64(value.length), ...items])
}

function text(value: string): Buffer {
  return Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}
