import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkedDecoder, ChunkError } from './chunked-decoder.js'
import { nextFrame } from './chunk-frames.js'
import { cutAt, frameText, payloads } from './chunks.test.fixture.js'

interface Read {
  readonly body: string
  /** Bytes behind the end of the body. */
  readonly rest: string
  readonly done: boolean
  readonly error: string | undefined
}

/** Reads pieces until the body ends or is wrong. */
function decode(pieces: readonly Buffer[], trailers: 'drop' | 'refuse' = 'drop'): Read {
  let body = ''
  let rest = ''
  const decoder = new ChunkedDecoder({ onBody: (bytes) => void (body += bytes.toString('latin1')) }, trailers)
  try {
    for (const piece of pieces) rest += piece.toString('latin1', decoder.push(piece, 0, piece.byteLength))
  } catch (error) {
    if (!(error instanceof ChunkError)) throw error
    return { body, rest, done: decoder.done, error: error.message }
  }
  return { body, rest, done: decoder.done, error: undefined }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const size = fc.constantFrom(
  '0',
  '1',
  '5',
  'a',
  'F',
  '00',
  '0005',
  '10',
  '',
  ' 3',
  '3 ',
  '3;x=y',
  '-1',
  '+1',
  '0x1',
  'g',
  '1000000000000',
  'fffffffffff',
)
const odd = fc
  .array(
    fc.tuple(
      size,
      fc.constantFrom('\r\n', '\n', '\r', '\r\r\n'),
      fc.constantFrom('', 'a', 'hello', '0123456789'),
      fc.constantFrom('\r\n', '\n', ''),
    ),
  )
  .map((frames) => frames.map((frame) => frame.join('')).join(''))

describe('the decoder of chunks', () => {
  it('reads what was written, whatever the cut, and stops behind it', () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.nat()), fc.constantFrom('', '\r\n', 'GET / HTTP/1.1\r\n'), (frames, cuts, behind) => {
        const text = `${frames.map((frame) => frameText(frame)).join('')}0\r\n\r\n`
        const body = frames.map(({ payload }) => payload).join('')
        expect(decode(cutAt(bytes(text + behind), cuts))).toEqual({ body, rest: behind, done: true, error: undefined })
      }),
    )
  })

  it('reads odd bytes the same at every cut, to the same refusal', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          odd,
          payloads.map((frames) => frames.map((frame) => frameText(frame)).join('')),
        ),
        odd,
        fc.array(fc.nat()),
        (good, wild, cuts) => {
          const all = bytes(good + wild)
          expect(decode(cutAt(all, cuts))).toEqual(decode([all]))
          expect(decode(Array.from(all, (byte) => Buffer.of(byte)))).toEqual(decode([all]))
        },
      ),
    )
  })

  it('says where frames begin', () => {
    const decoder = new ChunkedDecoder({ onBody: () => undefined }, 'drop')
    const text = bytes('3\r\nabc\r\n02\r\nde\r\n0\r\n\r\n')
    const starts: number[] = []
    for (let at = 0; at < text.byteLength; at += 1) {
      if (decoder.atFrameStart) starts.push(at)
      decoder.push(text, at, at + 1)
    }
    expect(starts).toEqual([0, 8, 16])
    expect([decoder.done, decoder.atFrameStart]).toEqual([true, false])
  })

  it.each([
    ['an extension', '3;x=y\r\nabc\r\n'],
    ['a space behind the size', '3 \r\nabc\r\n'],
    ['a space before the size', ' 3\r\nabc\r\n'],
    ['a tab', '3\t\r\nabc\r\n'],
    ['no size', '\r\nabc\r\n'],
    ['a sign', '-3\r\nabc\r\n'],
    ['a prefix', '0x3\r\nabc\r\n'],
    ['an underscore', '1_0\r\n'],
    ['a bare LF behind the size', '3\nabc\r\n'],
    ['a bare CR behind the size', '3\rabc\r\n'],
    ['two CR', '3\r\r\nabc\r\n'],
    ['a bare LF behind the data', '3\r\nabc\n0\r\n\r\n'],
    ['a bare CR behind the data', '3\r\nabc\r0\r\n\r\n'],
    ['more data than the size says', '3\r\nabcd\r\n'],
    ['less data than the size says', '3\r\nab\r\n0\r\n\r\n'],
    ['thirteen digits', `${'0'.repeat(12)}3\r\nabc\r\n`],
    ['a bare LF at the end', '0\r\n\n'],
    ['a bare LF behind a trailer', '0\r\nx: y\n\r\n'],
    ['a NUL in a trailer', '0\r\nx: \0\r\n\r\n'],
    ['trailers without end', `0\r\n${'x: y\r\n'.repeat(1_000)}`],
  ])('refuses %s', (_title, text) => {
    expect(decode([bytes(text)]).error).toBeDefined()
  })

  it('counts the largest size without losing a digit', () => {
    const frame = decode([bytes(`${'f'.repeat(12)}\r\nabc`)])
    expect(frame).toEqual({ body: 'abc', rest: '', done: false, error: undefined })
  })

  it("drops an engine's trailers and refuses a client's", () => {
    const text = '1\r\na\r\n0\r\nx-sum: 12\r\nx-other: y\r\n\r\nbehind'
    expect(decode([bytes(text)])).toEqual({ body: 'a', rest: 'behind', done: true, error: undefined })
    expect(decode([bytes(text)], 'refuse').error).toContain('trailers')
  })
})

describe('a frame taken whole', () => {
  /** Payloads and end of what nextFrame walks over, to the first frame that it leaves to the decoder. */
  function walk(all: Buffer): { body: string; end: number; last: boolean } {
    let body = ''
    let end = 0
    for (let frame = nextFrame(all, 0); frame !== undefined; frame = nextFrame(all, end)) {
      body += all.toString('latin1', frame.dataStart, frame.dataEnd)
      ;({ end } = frame)
      if (frame.dataStart === frame.dataEnd) return { body, end, last: true }
    }
    return { body, end, last: false }
  }

  it('is what the decoder reads, for good bytes, odd ones and their beginnings', () => {
    const good = payloads.map((frames) => `${frames.map((frame) => frameText(frame)).join('')}0\r\n\r\n`)
    fc.assert(
      fc.property(
        fc.oneof(
          good,
          odd,
          fc.tuple(good, odd).map((both) => both.join('')),
        ),
        fc.nat(),
        (text, cut) => {
          const all = bytes(text).subarray(0, cut % (text.length + 1))
          const { body, end, last } = walk(all)
          const read = decode([all.subarray(0, end)])
          expect(read).toEqual({ body, rest: '', done: last, error: undefined })
        },
      ),
      { numRuns: 400 },
    )
  })

  it('takes every good frame that is there whole', () => {
    fc.assert(
      fc.property(payloads, (frames) => {
        const text = frames.map((frame) => frameText(frame)).join('')
        expect(walk(bytes(text))).toEqual({ body: frames.map(({ payload }) => payload).join(''), end: text.length, last: false })
      }),
    )
  })

  it.each([
    '',
    '\r\n',
    '3',
    '3\r',
    '3\r\n',
    '3\r\nabc',
    '3\r\nabc\r',
    '3;x\r\nabc\r\n',
    '3\nabc\n',
    '3\r\nabcd\r\n',
    '0\r\nx: y\r\n\r\n',
    '0\r\n',
    '0\r\n\r',
  ])('%j is none', (text) => {
    expect(nextFrame(bytes(text), 0)).toBeUndefined()
  })

  it('has at most six digits, however they are written', () => {
    const large = Buffer.alloc(0x100000, 'x')
    const frame = (digits: string): Buffer => Buffer.concat([bytes(`${digits}\r\n`), large, bytes('\r\n')])
    expect(nextFrame(frame('100000'), 0)).toMatchObject({ dataStart: 8, end: 8 + 0x100000 + 2 })
    expect(nextFrame(frame('0100000'), 0)).toBeUndefined()
    for (const digits of ['fffffff', 'ffffffffffff', '1'.repeat(5_000)]) expect(nextFrame(bytes(`${digits}\r\n`), 0)).toBeUndefined()
  })
})
