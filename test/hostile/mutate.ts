/** Damages bytes by a seed, so that a run can be had again. */
export type Random = () => number

/** mulberry32: small, fast, the same everywhere. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const below = (random: Random, limit: number): number => Math.floor(random() * limit)
export const oneOf = <T>(random: Random, values: readonly T[]): T => values[below(random, values.length)] as T

/** What parsers trip over. */
const SPICE = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  '\n\n',
  '\0',
  ' ',
  '\t',
  '\v',
  ':',
  ';',
  ',',
  '0',
  '0\r\n\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 5\r\n',
  'Connection: close\r\n',
  'HTTP/1.1',
  '\xff',
  '"',
  '{',
  '}',
  '-',
  '+',
  '0x',
  'Host: b\r\n',
  'GET /health HTTP/1.1\r\nHost: a\r\n\r\n',
  'Expect: 100-continue\r\n',
  'data: [DONE]\n\n',
].map((text) => Buffer.from(text, 'latin1'))

type Damage = (bytes: Buffer, random: Random, other: Buffer) => Buffer

const at = (bytes: Buffer, random: Random): number => below(random, bytes.byteLength + 1)

const damages: readonly Damage[] = [
  function flip(bytes, random) {
    if (bytes.byteLength === 0) return bytes
    const copy = Buffer.from(bytes)
    const index = below(random, copy.byteLength)
    copy[index] = (copy[index] ?? 0) ^ (1 << below(random, 8))
    return copy
  },
  function insert(bytes, random) {
    const index = at(bytes, random)
    return Buffer.concat([bytes.subarray(0, index), oneOf(random, SPICE), bytes.subarray(index)])
  },
  function insertAtLine(bytes, random) {
    const ends = lineEnds(bytes)
    const index = ends.length === 0 ? at(bytes, random) : oneOf(random, ends)
    return Buffer.concat([bytes.subarray(0, index), oneOf(random, SPICE), bytes.subarray(index)])
  },
  function remove(bytes, random) {
    const index = at(bytes, random)
    return Buffer.concat([bytes.subarray(0, index), bytes.subarray(index + 1 + below(random, 4))])
  },
  function repeat(bytes, random) {
    const from = at(bytes, random)
    const part = bytes.subarray(from, from + 1 + below(random, 40))
    const to = at(bytes, random)
    return Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(to)])
  },
  function repeatLine(bytes, random) {
    const ends = [0, ...lineEnds(bytes)]
    const line = below(random, ends.length)
    const part = bytes.subarray(ends[line], ends[line + 1] ?? bytes.byteLength)
    const to = oneOf(random, ends)
    return Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(to)])
  },
  function splice(bytes, random, other) {
    return Buffer.concat([bytes.subarray(0, at(bytes, random)), other.subarray(at(other, random))])
  },
  function digit(bytes, random) {
    const digits = [...bytes.keys()].filter((index) => (bytes[index] ?? 0) >= 0x30 && (bytes[index] ?? 0) <= 0x39)
    if (digits.length === 0) return bytes
    const copy = Buffer.from(bytes)
    copy[oneOf(random, digits)] = 0x30 + below(random, 10)
    return copy
  },
]

/** One to three damages. */
export function mutate(bytes: Buffer, random: Random, other: Buffer): Buffer {
  let damaged = bytes
  for (let count = 1 + below(random, 3); count > 0; count -= 1) damaged = oneOf(random, damages)(damaged, random, other)
  return damaged
}

function lineEnds(bytes: Buffer): number[] {
  const ends: number[] = []
  for (let index = bytes.indexOf(10); index !== -1; index = bytes.indexOf(10, index + 1)) ends.push(index + 1)
  return ends
}
