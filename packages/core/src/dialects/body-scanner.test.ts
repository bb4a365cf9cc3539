import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyScanner, scanTopLevel } from './body-scanner.js'
import { accepted, badUtf8, refused, refusedByUs } from './json-corpus.test.fixture.js'
import { JsonScanError, type TopLevel } from './top-level.js'

const bytes = (text: string): Buffer => Buffer.from(text)

/** The extents, or what is wrong and where. */
function outcome(scan: () => TopLevel): unknown {
  try {
    return [...scan()]
  } catch (error) {
    expect(error).toBeInstanceOf(JsonScanError)
    const { message, offset } = error as JsonScanError
    return { message, offset }
  }
}

const whole = (body: Uint8Array): unknown => outcome(() => scanTopLevel(body))

/** The same body in pieces of these sizes, over and over; each piece is gone when the next one comes, as in a socket's buffer. */
function inPieces(body: Uint8Array, sizes: readonly number[]): unknown {
  return outcome(() => {
    const scanner = new BodyScanner()
    for (let at = 0, index = 0; at < body.byteLength; index += 1) {
      const piece = Uint8Array.from(body.subarray(at, at + (sizes[index % sizes.length] ?? 1)))
      at += piece.byteLength
      scanner.push(piece)
      piece.fill(0x22)
    }
    return scanner.finish()
  })
}

/** An object that JSON.parse takes. */
function parses(body: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf8', { fatal: true, ignoreBOM: true }).decode(body))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** Accepts what JSON.parse accepts, but for the refusals that are ours. */
function agrees(body: Buffer): void {
  const found = whole(body)
  const ours = /stands twice|nested deeper|top-level key/
  if (Array.isArray(found)) expect(parses(body), body.toString()).toBe(true)
  else if (!ours.test((found as JsonScanError).message)) expect(parses(body), body.toString()).toBe(false)
}

const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 })
const number = fc.constantFrom('0', '-0', '1e400', '-1E-7', '0.000', '12345678901234567890', '1.5e+10')
const character = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).map((one) => JSON.stringify(one).slice(1, -1)),
  fc.constantFrom('\\ud800', '\\uDFFF', '\\/', '\\u0000', 'abcdefghijklmnopq', '\\"', '\\\\'),
)
const string = fc.array(character, { maxLength: 30 }).map((all) => `"${all.join('')}"`)
const list = (open: string, close: string, item: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(fc.array(fc.tuple(space, item, space), { maxLength: 4 }), space).map(([items, inner]) => {
    const texts = items.map(([before, text, behind]) => before + text + behind)
    return open + (texts.length === 0 ? inner : texts.join(',')) + close
  })
const pair = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(string, space, space, value).map(([key, before, behind, text]) => `${key}${before}:${behind}${text}`)
const deep = fc.integer({ min: 55, max: 66 }).map((levels) => '['.repeat(levels) + ']'.repeat(levels))
/** JSON as texts, so that odd white space, numbers and escapes come through; sometimes near the deepest nesting. */
const { object } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, number, string, fc.constantFrom('true', 'false', 'null'), deep, tie('object'), tie('array')),
  object: list('{', '}', pair(tie('value'))),
  array: list('[', ']', tie('value')),
}))

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

  it('agrees with JSON.parse on odd documents and on what is left of them', () => {
    const noise = fc.constantFrom(...Buffer.from('{}[]",:\\/u0e+-.tfn 1x\n\t\u0001\u0000é'), 0xff, 0xed)
    const change = fc.record({ at: fc.nat(), removed: fc.nat(2), inserted: fc.array(noise, { maxLength: 2 }) })
    fc.assert(
      fc.property(space, object, space, fc.array(change, { maxLength: 3 }), (before, text, behind, changes) => {
        let body = bytes(before + text + behind)
        agrees(body)
        for (const { at, removed, inserted } of changes) {
          const place = at % (body.byteLength + 1)
          body = Buffer.concat([body.subarray(0, place), Buffer.from(inserted), body.subarray(place + removed)])
          agrees(body)
        }
      }),
      { numRuns: 1_500 },
    )
  })

  it('gives the same answer however a body is cut', () => {
    fc.assert(
      fc.property(
        object,
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }),
        (...given) => {
          const [text, at, byte, sizes] = given
          const body = bytes(text)
          expect(inPieces(body, sizes)).toEqual(whole(body))
          body[at % body.byteLength] = byte
          expect(inPieces(body, sizes)).toEqual(whole(body))
          expect(inPieces(body.subarray(0, at % body.byteLength), [1])).toEqual(whole(body.subarray(0, at % body.byteLength)))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('keeps scans apart that are under way together', () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 2, maxLength: 6 }), fc.integer({ min: 1, max: 9 }), (texts, size) => {
        const bodies = texts.map(bytes)
        const scanners = bodies.map(() => new BodyScanner())
        const ended = bodies.map((): unknown => undefined)
        for (let at = 0; at < Math.max(...bodies.map((body) => body.byteLength)); at += size)
          scanners.forEach((scanner, index) => {
            ended[index] ??= quiet(() => scanner.push(bodies[index]?.subarray(at, at + size) ?? Buffer.alloc(0)))
          })
        const found = scanners.map((scanner, index) => ended[index] ?? outcome(() => scanner.finish()))
        expect(found).toEqual(bodies.map(whole))
      }),
    )
  })

  it('reads bodies of many windows', () => {
    const text = `line one\nline "two"\\\u{1f6a2}é`.repeat(20_000)
    const body = bytes(JSON.stringify({ first: text, model: 'm', list: Array.from({ length: 90_000 }, (_, index) => index), last: text }))
    const fields = scanTopLevel(body)
    expect([...fields.keys()]).toEqual(['first', 'model', 'list', 'last'])
    for (const { start, end } of fields.values()) expect(() => JSON.parse(body.toString('utf8', start, end))).not.toThrow()
    expect(whole(body.subarray(0, -2))).toEqual({ message: 'a string does not end', offset: body.byteLength - 2 })
    expect(inPieces(body, [65_535, 1, 40_000])).toEqual(whole(body))
  })
})

/** What a piece was refused for; undefined when it was not. */
function quiet(push: () => void): unknown {
  const nothing: TopLevel = new Map()
  const found = outcome(() => (push(), nothing))
  return Array.isArray(found) ? undefined : found
}

const label = (text: string): string => (text.length > 60 ? `${text.slice(0, 40)}... (${text.length})` : text)

describe('the corpus', () => {
  it.each(accepted.map((text) => [label(text), text]))('accepts %j', (_, text) => {
    expect(parses(bytes(text))).toBe(true)
    expect(whole(bytes(text))).toBeInstanceOf(Array)
    for (const size of [1, 7, 64]) expect(inPieces(bytes(text), [size])).toEqual(whole(bytes(text)))
  })

  it.each(refused.map((text) => [label(text), text]))('refuses %j', (_, text) => {
    expect(parses(bytes(text))).toBe(false)
    const found = whole(bytes(text))
    expect(found).toMatchObject({ message: expect.any(String) as string })
    for (const size of [1, 7, 64]) expect(inPieces(bytes(text), [size])).toEqual(found)
  })

  it.each(refusedByUs.map(([text, message]) => [label(text), text, message]))('refuses %j for a reason of ours', (_, text, message) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow()
    expect(whole(bytes(text))).toMatchObject({ message })
    for (const size of [1, 7, 1_000]) expect(inPieces(bytes(text), [size])).toEqual(whole(bytes(text)))
  })

  it.each(badUtf8)('refuses what is not UTF-8: %j %j %j %j', (...some) => {
    const body = Buffer.concat([bytes('{"a":"é'), Buffer.from(some), bytes('日"}')])
    const found = { message: 'the body is not valid UTF-8', offset: 0 }
    expect(whole(body)).toEqual(found)
    for (const size of [1, 2, 3, 5]) expect(inPieces(body, [size])).toEqual(found)
  })

  it('is refused early where that is cheap: 20 MB of brackets', () => {
    expect(whole(bytes(`{"a":${'['.repeat(20_000_000)}`))).toEqual({ message: 'nested deeper than 64', offset: 68 })
  })
})

it('is the module that its sources make', async () => {
  const script = fileURLToPath(new URL('../../../../scripts/build-body-scanner.js', import.meta.url))
  await expect(promisify(execFile)(process.execPath, [script, '--check'])).resolves.toMatchObject({ stderr: '' })
})
