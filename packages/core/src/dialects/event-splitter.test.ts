import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventSplitter, isOneEvent } from './event-splitter.js'

function cut(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [...new Set(cuts.map((point) => point % (stream.byteLength + 1)))].sort((a, b) => a - b)
  return [0, ...points].map((from, index) => stream.subarray(from, points[index] ?? stream.byteLength))
}

function split(chunks: readonly Buffer[]): { events: string[]; rest: string } {
  const splitter = new EventSplitter()
  const events = chunks.flatMap((chunk) => splitter.push(chunk)).map((event) => event.bytes.toString('latin1'))
  return { events, rest: splitter.rest().toString('latin1') }
}

const line = fc.constantFrom('data: {"a":1}', 'data: é🚢', ': ping', 'event: x', 'id: 1', 'data:')
const breaks = fc.constantFrom('\n', '\r\n', '\r')
const stream = fc
  .array(fc.tuple(fc.array(line, { minLength: 1, maxLength: 3 }), breaks), { maxLength: 6 })
  .map((events) => Buffer.from(events.map(([lines, end]) => lines.map((text) => text + end).join('') + end).join('')))

describe('the event splitter', () => {
  it('loses and invents no byte, whatever the cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (bytes, cuts) => {
        const { events, rest } = split(cut(bytes, cuts))
        expect(events.join('') + rest).toBe(bytes.toString('latin1'))
      }),
    )
  })

  it('finds the same events whatever the cut, but for a line feed that may open the next one', () => {
    const normal = (events: readonly string[]) => events.map((event) => event.replace(/^\n+/, '').replace(/[\r\n]+$/, ''))
    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (bytes, cuts) => {
        expect(normal(split(cut(bytes, cuts)).events)).toEqual(normal(split([bytes]).events))
      }),
    )
  })

  it('passes a line of a megabyte on in pieces instead of holding it', () => {
    const splitter = new EventSplitter()
    const chunk = Buffer.alloc(40_000, 'x')
    let passed = 0
    for (let index = 0; index < 26; index += 1) for (const event of splitter.push(chunk)) passed += event.bytes.byteLength
    expect(passed).toBeGreaterThan(900_000)
    expect(splitter.push(Buffer.from('\n\n')).every((event) => !event.whole)).toBe(true)
    expect(splitter.push(Buffer.from('data: next\n\n'))[0]).toMatchObject({ whole: true })
  })
})

describe('the quick look at one event', () => {
  /** Line breaks as LF; undefined where a CR stands alone. */
  const plain = (text: string): string | undefined => (/\r(?!\n)/.test(text) ? undefined : text.replaceAll('\r\n', '\n'))

  it('takes each event that ends with LF or CRLF, wherever it stands', () => {
    const one = fc.tuple(fc.array(line, { minLength: 1, maxLength: 3 }), fc.constantFrom('\n', '\r\n'))
    fc.assert(
      fc.property(one, fc.string(), fc.string(), ([lines, end], before, after) => {
        const event = Buffer.from(lines.map((text) => text + end).join('') + end)
        const all = Buffer.concat([Buffer.from(before), event, Buffer.from(after)])
        const start = Buffer.byteLength(before)
        expect(isOneEvent(all, start, start + event.byteLength)).toBe(true)
        expect(isOneEvent(all, start, start + event.byteLength - 1)).toBe(false)
      }),
    )
  })

  it('takes nothing with a second event, half of one, or a CR that stands alone', () => {
    const bits = fc.array(fc.oneof(line, breaks, fc.constantFrom('\n', '\r\n', 'x')), { maxLength: 10 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(bits, (text) => {
        const bytes = Buffer.from(text)
        if (!isOneEvent(bytes, 0, bytes.byteLength)) return
        const read = plain(text) ?? ''
        expect(read.indexOf('\n\n')).toBe(read.length - 2)
      }),
      { numRuns: 500 },
    )
  })
})
