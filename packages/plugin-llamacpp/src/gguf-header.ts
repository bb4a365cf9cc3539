import { BadGguf, GgufCursor } from './gguf-cursor.js'
import { tensorBytes } from './gguf-types.js'

/** What a GGUF file says about itself; numbers under their key without the architecture's name. */
export interface GgufHeader {
  readonly architecture: string | undefined
  /** Whole numbers, and lists of them, by key: `block_count`, `attention.head_count_kv`, `split.count`. */
  readonly numbers: ReadonlyMap<string, number | readonly number[]>
  /** `model`, `adapter`, `mmproj`. */
  readonly kind: string | undefined
  /** Words of the vocabulary; undefined where they do not stand in the file. */
  readonly vocabulary: number | undefined
  /** Bytes that the file must have at least to hold all its tensors. */
  readonly leastFileBytes: number
  /** Numbers in all its tensors. */
  readonly elements: number
  /** Where the tensors' data begins. */
  readonly dataOffset: number
}

const MAGIC = 0x46554747
const MOST_KEYS = 65_536
const MOST_TENSORS = 1_000_000
/** Lists that are read; longer ones are vocabularies. */
const LONGEST_LIST = 4096

const widths: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
const TEXT = 8
const LIST = 9

/** Throws BadGguf, or NeedsMoreBytes where the header goes on behind `bytes`. Format versions 2 and 3, little-endian. */
export function readGgufHeader(bytes: Buffer): GgufHeader {
  const cursor = new GgufCursor(bytes)
  if (cursor.u32() !== MAGIC) throw new BadGguf('it does not begin with GGUF')
  const version = cursor.u32()
  if (version !== 2 && version !== 3)
    throw new BadGguf(version > 0xffff ? 'it is big-endian' : `its format version is ${version}, not 2 or 3`)
  const tensors = bounded(cursor.u64(), MOST_TENSORS, 'tensors')
  const keys = bounded(cursor.u64(), MOST_KEYS, 'keys')
  const found = readKeys(cursor, keys)
  const { end, elements } = readTensors(cursor, tensors)
  const alignment = numberOf(found.numbers.get('general.alignment')) ?? 32
  const dataOffset = Math.ceil(cursor.offset / alignment) * alignment
  return { ...found, numbers: withoutPrefix(found), dataOffset, elements, leastFileBytes: dataOffset + end }
}

export function numberOf(value: number | readonly number[] | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

type Found = Pick<GgufHeader, 'architecture' | 'kind' | 'vocabulary' | 'numbers'>

function readKeys(cursor: GgufCursor, count: number): Found {
  const numbers = new Map<string, number | readonly number[]>()
  const texts = new Map<string, string>()
  let vocabulary: number | undefined
  for (let key = 0; key < count; key += 1) {
    const name = cursor.text()
    const type = cursor.u32()
    if (type === TEXT && (name === 'general.architecture' || name === 'general.type')) texts.set(name, cursor.text())
    else if (type === LIST) {
      const { length, values } = readList(cursor)
      if (name === 'tokenizer.ggml.tokens') vocabulary = length
      if (values !== undefined) numbers.set(name, values)
    } else {
      const value = readValue(cursor, type)
      if (value !== undefined) numbers.set(name, value)
    }
  }
  return { architecture: texts.get('general.architecture'), kind: texts.get('general.type'), vocabulary, numbers }
}

/** Whole numbers are told, anything else is passed over. */
function readValue(cursor: GgufCursor, type: number): number | undefined {
  if (type === 4) return cursor.u32()
  if (type === 5) return cursor.i32()
  if (type === 10) return cursor.u64()
  if (type === 2) return cursor.u16()
  if (type === 0) return cursor.u8()
  if (type === TEXT) cursor.skipText()
  else cursor.skip(widthOf(type))
  return undefined
}

function readList(cursor: GgufCursor): { readonly length: number; readonly values?: readonly number[] } {
  const type = cursor.u32()
  const length = cursor.u64()
  if (type === TEXT) {
    for (let item = 0; item < length; item += 1) cursor.skipText()
    return { length }
  }
  if ((type !== 4 && type !== 5) || length > LONGEST_LIST) {
    cursor.skip(length * widthOf(type))
    return { length }
  }
  return { length, values: Array.from({ length }, () => (type === 4 ? cursor.u32() : cursor.i32())) }
}

/** Where the last tensor ends, counted from the start of the data, and the numbers in all of them. */
function readTensors(cursor: GgufCursor, count: number): { readonly end: number; readonly elements: number } {
  let end = 0
  let all = 0
  for (let tensor = 0; tensor < count; tensor += 1) {
    cursor.skipText()
    let elements = 1
    for (let dimension = bounded(cursor.u32(), 8, 'dimensions'); dimension > 0; dimension -= 1) elements *= cursor.u64()
    const bytes = tensorBytes(cursor.u32(), elements)
    end = Math.max(end, cursor.u64() + bytes)
    all += elements
  }
  return { end, elements: all }
}

function withoutPrefix({ architecture, numbers }: Found): GgufHeader['numbers'] {
  const prefix = `${architecture ?? ''}.`
  return new Map([...numbers].map(([name, value]) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, value]))
}

function widthOf(type: number): number {
  const width = widths[type]
  if (width === undefined) throw new BadGguf(`a value of the unknown type ${type} stands in its header`)
  return width
}

function bounded(value: number, most: number, what: string): number {
  if (value > most) throw new BadGguf(`it claims ${value} ${what}`)
  return value
}
