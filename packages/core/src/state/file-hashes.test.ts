import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sampleOfFiles, sha256OfFiles } from './file-hashes.js'

let folder: string
let keptIn: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lb-hashes-'))
  keptIn = join(folder, 'kept.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, bytes: Buffer | string): string => {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
const hash = (paths: readonly string[], signal = new AbortController().signal) => sha256OfFiles(paths, { signal, keptIn })

describe('a hash over all bytes', () => {
  it('is the one that every tool tells; of several files one over theirs', async () => {
    const big = Buffer.alloc(700_001, 'some weights')
    const [one, two] = [write('a.gguf', big), write('b.gguf', '')]
    expect(await hash([one])).toBe(`sha256:${sha256(big)}`)
    expect(await hash([two])).toBe(`sha256:${sha256('')}`)
    expect(await hash([one, two])).toBe(`sha256:${sha256(`a.gguf ${sha256(big)}\nb.gguf ${sha256('')}\n`)}`)
    expect(await hash([one, join(folder, 'gone')])).toBeUndefined()
    expect(await hash([])).toBeUndefined()
  })

  it('is counted once, as long as size and time of change are the same', async () => {
    const path = write('a.gguf', 'one')
    utimesSync(path, 5, 5)
    expect(await hash([path])).toBe(`sha256:${sha256('one')}`)
    writeFileSync(path, 'two')
    utimesSync(path, 5, 5)
    expect(await hash([path])).toBe(`sha256:${sha256('one')}`)
    utimesSync(path, 6, 6)
    expect(await hash([path])).toBe(`sha256:${sha256('two')}`)
    expect(Object.keys(JSON.parse(readFileSync(keptIn, 'utf8')) as object)).toEqual([path])
  })

  it.each(['', '[]', 'null', '{"/a":null,"/b":{"sha256":"x"}}'])('minds no file that is torn or foreign: %s', async (text) => {
    writeFileSync(keptIn, text)
    expect(await hash([write('a.gguf', 'one')])).toBe(`sha256:${sha256('one')}`)
  })

  it('ends when it is told to', async () => {
    await expect(hash([write('a.gguf', 'one')], AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})

describe('a sample', () => {
  it('tells files apart by size, beginning, middle, end and name', async () => {
    const bytes = Buffer.alloc(3_000_000, 1)
    const other = (at: number) => Buffer.from(bytes.with(at, 2))
    const first = await sampleOfFiles([write('a.gguf', bytes)])
    expect(first).toMatch(/^sample:3000000:[0-9a-f]{16}$/)
    expect(await sampleOfFiles([write('a.gguf', bytes)])).toBe(first)
    for (const changed of [other(0), other(900_000), other(2_999_999), bytes.subarray(1)])
      expect(await sampleOfFiles([write('a.gguf', changed)])).not.toBe(first)
    expect(await sampleOfFiles([write('b.gguf', bytes)])).not.toBe(first)
    expect(await sampleOfFiles([join(folder, 'gone')])).toBeUndefined()
  })

  it('reads of a huge file no more than a few parts', async () => {
    const path = write('huge.gguf', 'GGUF')
    truncateSync(path, 50 * 1024 ** 3)
    expect(await sampleOfFiles([path])).toMatch(/^sample:53687091200:/)
  })
})
