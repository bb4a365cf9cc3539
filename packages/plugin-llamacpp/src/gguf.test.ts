import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BadGguf, NeedsMoreBytes } from './gguf-cursor.js'
import { readGgufFile, readGgufFileSync } from './gguf-file.js'
import { readGgufHeader } from './gguf-header.js'
import { ggufBytes, tinyLlama } from './gguf-writer.test.fixture.js'
import { modelFolders } from './model-folder.test.fixture.js'
import { splitFiles } from './split-files.js'

const folderOf = modelFolders()

describe('the header of a GGUF file', () => {
  it('tells its architecture, numbers, vocabulary and length', () => {
    const bytes = ggufBytes()
    const header = readGgufHeader(bytes)
    expect(header).toMatchObject({ architecture: 'llama', kind: 'model', vocabulary: 1000, leastFileBytes: bytes.byteLength })
    expect(header.numbers.get('block_count')).toBe(2)
    expect(header.numbers.get('attention.head_count_kv')).toBe(2)
    expect(header.numbers.get('rope.freq_base')).toBeUndefined()
  })

  it('knows lists with a number for each layer', () => {
    const header = readGgufHeader(ggufBytes({ values: { ...tinyLlama, 'llama.attention.head_count_kv': [2, 0] } }))
    expect(header.numbers.get('attention.head_count_kv')).toEqual([2, 0])
  })

  it('asks for more bytes at every cut, and never reads over the end', () => {
    const bytes = ggufBytes({ values: { 'general.architecture': 'llama', list: [1, 2], words: ['a', 'b'], yes: true, f: { float: 1 } } })
    const { dataOffset } = readGgufHeader(bytes)
    for (let cut = 0; cut < dataOffset - 32; cut += 1) expect(() => readGgufHeader(bytes.subarray(0, cut))).toThrow(NeedsMoreBytes)
  })

  it.each([
    ['another magic', ggufBytes({ magic: 'ggjt' }), 'does not begin with GGUF'],
    ['a big-endian one', ggufBytes({ version: 0x03000000 }), 'big-endian'],
    ['another version', ggufBytes({ version: 9 }), 'version is 9'],
    ['a count that cannot be', Buffer.concat([ggufBytes().subarray(0, 16), Buffer.alloc(8, 0xff), Buffer.alloc(64)]), 'cannot be'],
    ['too many keys', Buffer.concat([ggufBytes().subarray(0, 16), Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]), Buffer.alloc(64)]), 'keys'],
    [
      'a text without end',
      Buffer.concat([ggufBytes().subarray(0, 24), Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]), Buffer.alloc(64)]),
      'a text of',
    ],
    [
      'an unknown type',
      Buffer.concat([ggufBytes().subarray(0, 24), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 97, 99, 0, 0, 0]), Buffer.alloc(64)]),
      'unknown type',
    ],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => readGgufHeader(bytes)).toThrow(BadGguf)
    expect(() => readGgufHeader(bytes)).toThrow(message)
  })

  it('of any bytes is read or refused, quickly', () => {
    let seed = 7
    for (let turn = 0; turn < 300; turn += 1) {
      const bytes = Buffer.from(ggufBytes({ values: { a: 1, words: ['x', 'y'], list: [1, 2, 3] } }))
      for (let flips = 0; flips < 6; flips += 1) {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
        bytes[8 + (seed % (bytes.byteLength - 8))] = seed % 256
      }
      try {
        readGgufHeader(bytes)
      } catch (error) {
        expect(error instanceof BadGguf || error instanceof NeedsMoreBytes, String(error)).toBe(true)
      }
    }
  })
})

describe('a GGUF file', () => {
  it('is read behind a vocabulary that is longer than the first read', async () => {
    const words = Array.from({ length: 240_000 }, (_, index) => `a long word of a vocabulary ${index}`)
    const bytes = ggufBytes({ values: { 'tokenizer.ggml.merges': words, ...tinyLlama } })
    const path = join(folderOf({ 'a.gguf': bytes }), 'a.gguf')
    expect(bytes.byteLength).toBeGreaterThan(8 * 1024 * 1024)
    expect((await readGgufFile(path, AbortSignal.timeout(10_000))).header.numbers.get('block_count')).toBe(2)
    expect(readGgufFileSync(path)).toMatchObject({ bytes: bytes.byteLength, header: { architecture: 'llama' } })
  })

  it('that ends inside its header is told from one that is no GGUF', async () => {
    const path = join(folderOf({ 'a.gguf': ggufBytes().subarray(0, 200) }), 'a.gguf')
    await expect(readGgufFile(path, AbortSignal.timeout(10_000))).rejects.toThrow('it ends inside its header')
    const empty = join(folderOf({ 'a.gguf': '' }), 'a.gguf')
    await expect(readGgufFile(empty, AbortSignal.timeout(10_000))).rejects.toThrow(BadGguf)
  })

  it('may be one of several', () => {
    expect(splitFiles('/m/x-00002-of-00003.gguf')).toEqual([
      '/m/x-00001-of-00003.gguf',
      '/m/x-00002-of-00003.gguf',
      '/m/x-00003-of-00003.gguf',
    ])
    expect(splitFiles('/m/x.gguf')).toEqual(['/m/x.gguf'])
  })
})
