import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanTopLevel } from './body-scanner.js'
import { JsonScanError } from './top-level.js'

const bytes = (text: string): Buffer => Buffer.from(text)

function accepts(body: Uint8Array): boolean {
  try {
    scanTopLevel(body)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(JsonScanError)
    return false
  }
}

/** What JSON.parse makes of the same bytes, with our own rules on top: an object, no top-level key twice, depth at most 64. */
function parses(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

describe('the scanner', () => {
  it('finds every top-level value where JSON.parse finds it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 5 })), fc.constantFrom(0, 2), (object, indent) => {
        const body = bytes(JSON.stringify(object, null, indent))
        const found = Object.fromEntries(
          [...scanTopLevel(body)].map(([key, at]) => [key, JSON.parse(body.toString('utf8', at.start, at.end)) as unknown]),
        )
        expect(found).toEqual(JSON.parse(body.toString('utf8')))
      }),
    )
  })

  it('refuses and accepts the same mutated bodies as JSON.parse', () => {
    const seed = '{"model":"m","n":-1.5e+3,"a":[true,false,null,"\\u00e9\\n"],"o":{"x":{}},"s":"é"}'
    fc.assert(
      fc.property(
        fc.nat(seed.length),
        fc.constantFrom(...Array.from('{}[]",:\\u0e+-.tfn 1x\n\t\u0001')),
        fc.nat(2),
        (at, char, removed) => {
          const text = seed.slice(0, at) + char + seed.slice(at + removed)
          const duplicate = /the key .* stands twice/
          try {
            scanTopLevel(bytes(text))
            expect(parses(text), text).toBe(true)
          } catch (error) {
            if (!duplicate.test((error as Error).message)) expect(parses(text), text).toBe(false)
          }
        },
      ),
      { numRuns: 3_000 },
    )
  })

  it.each([
    '',
    ' ',
    '[]',
    '1',
    '"x"',
    '{',
    '{}x',
    '{"a":01}',
    '{"a":.5}',
    '{"a":1.}',
    '{"a":+1}',
    '{"a":NaN}',
    "{'a':1}",
    '{"a":1,}',
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a":"\\u12g4"}',
    '{"a" 1}',
  ])('refuses %j', (text) => expect(accepts(bytes(text))).toBe(false))

  it.each(['{}', '{"a":-0}', '{"a":1e400}', '{"a":"\\ud800"}', ' {"a" : [ ] } ', '{"":1}'])('accepts %j', (text) =>
    expect(accepts(bytes(text))).toBe(true),
  )

  it('refuses a top-level key that stands twice, also when it is written differently', () => {
    expect(accepts(bytes('{"model":"a","model":"b"}'))).toBe(false)
    expect(accepts(bytes('{"model":"a","\\u006dodel":"b"}'))).toBe(false)
    expect(accepts(bytes('{"x":{"y":1,"y":2}}'))).toBe(true)
  })

  it('refuses what is not UTF-8', () => {
    expect(accepts(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBe(false)
  })

  it('allows 64 levels and no more, however many there are', () => {
    const nested = (levels: number): Buffer => bytes(`{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`)
    expect(accepts(nested(64))).toBe(true)
    expect(accepts(nested(65))).toBe(false)
    expect(accepts(bytes(`{"a":${'['.repeat(5_000_000)}`))).toBe(false)
  })
})
