import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prefixHashes } from './prefix-hashes.js'
import { recordJson } from './record-json.js'
import { scanRequest } from './request-scan.js'

const salt = randomBytes(32)
const scan = (body: object) => scanRequest('openai-completions', Buffer.from(JSON.stringify(body)))
const hashes = (body: object, key = salt) => prefixHashes(scan(body), key)
/** Bytes of `{"prompt": text}` that come before the text among the hashed bytes: its quote. */
const BEFORE = 1
const blockEnd = (index: number) => (index < 64 ? (index + 1) * 256 : 16_384 + (index - 63) * 2_048)

/** Text of one letter with one other letter in it. */
const marked = (length: number, at: number) => `${'x'.repeat(at)}y${'x'.repeat(length - at - 1)}`

describe('prefix hashes', () => {
  it('agree as far as the prompts do and no further, whatever the size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000 }), fc.nat(), (length, where) => {
        const at = where % length
        const one = hashes({ prompt: 'x'.repeat(length) })
        const two = hashes({ prompt: marked(length, at) })
        expect(two.length).toBe(one.length)
        one.forEach((hash, index) => expect(hash === two[index], `block ${index}`).toBe(blockEnd(index) <= at + BEFORE))
      }),
      { numRuns: 150 },
    )
  })

  it('are one for each whole block: 256 bytes, then 2 KiB behind 16 KiB', () => {
    // Quotes and the separator stand around the text.
    const count = (bytes: number) => hashes({ prompt: 'x'.repeat(bytes - 3) }).length
    expect([255, 256, 16_383, 16_384, 18_431, 18_432, 65_536, 65_536 + 2_048].map(count)).toEqual([0, 1, 63, 64, 64, 65, 88, 89])
    expect(hashes({ prompt: 'x'.repeat(5_000_000) })).toHaveLength(2_048)
  })

  it('do not depend on where a longer prompt goes on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 150_000 }), fc.integer({ min: 0, max: 150_000 }), (first, more) => {
        const text = 'The quick brown fox. '.repeat(1 + (first + more) / 21)
        const short = hashes({ prompt: text.slice(0, first) })
        const long = hashes({ prompt: text.slice(0, first + more) })
        const shared = [...short.keys()].filter((index) => blockEnd(index) <= first + BEFORE)
        for (const index of shared) expect(long[index]).toBe(short[index])
      }),
      { numRuns: 100 },
    )
  })

  it('take the parts in the order of chat templates, not of the body', () => {
    const tools = [{ type: 'function', function: { name: 'f', description: 'd'.repeat(900) } }]
    const messages = [{ role: 'user', content: 'm'.repeat(900) }]
    expect(hashes({ model: 'm', messages, tools, seed: 1 })).toEqual(hashes({ tools, messages, model: 'm', user: 'u' }))
    expect(hashes({ model: 'a', messages })[0]).not.toBe(hashes({ model: 'b', messages })[0])
  })

  it('are exact integers below 2^52, all different', () => {
    const seen = new Set<number>()
    for (let index = 0; index < 4_000; index += 1) {
      const [hash = 0] = hashes({ prompt: `${index}`.padEnd(300, 'z') })
      expect(Number.isSafeInteger(hash) && hash >= 0 && hash < 2 ** 52).toBe(true)
      seen.add(hash)
    }
    expect(seen.size).toBe(4_000)
  })

  it('change in half of their bits when one bit of the prompt does', () => {
    const bitsOf = (hash: number) => hash.toString(2).padStart(52, '0')
    const [before = 0] = hashes({ prompt: 'a'.repeat(300) })
    let changed = 0
    for (let at = 0; at < 250; at += 1) {
      const [after = 0] = hashes({ prompt: `${'a'.repeat(at)}c${'a'.repeat(299 - at)}` })
      const bits = bitsOf(before)
      changed += Array.from(bitsOf(after)).filter((bit, index) => bit !== bits[index]).length
    }
    expect(changed / 250).toBeGreaterThan(24)
    expect(changed / 250).toBeLessThan(28)
  })

  it('mean nothing under another salt, also when both are used in turn', () => {
    const other = randomBytes(32)
    const body = { prompt: 'word '.repeat(4_000) }
    const [mine, theirs, again] = [hashes(body), hashes(body, other), hashes(body)]
    expect(again).toEqual(mine)
    expect(theirs.some((hash) => mine.includes(hash))).toBe(false)
    expect(hashes(body, Buffer.from(other))).toEqual(theirs)
  })

  it('of blocks that swap places differ', () => {
    const [a, b] = ['a'.repeat(256), 'b'.repeat(256)]
    const ends = [`x${a}${b}${a}`, `x${b}${a}${a}`].map((text) => hashes({ prompt: text }).at(-1))
    expect(ends[0]).not.toBe(ends[1])
  })

  it('are written as 13 hexadecimal digits, 512 at most', () => {
    const record = { prefixHashes: Float64Array.of(0, 1, 2 ** 52 - 1) } as Parameters<typeof recordJson>[0]
    expect(recordJson(record).prefixHashes).toEqual(['0000000000000', '0000000000001', 'fffffffffffff'])
    expect(recordJson({ ...record, prefixHashes: new Float64Array(2_048) }).prefixHashes).toHaveLength(512)
  })
})
