import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ResponseParser } from './response-parser.js'
import { UpstreamError } from './upstream-error.js'

interface Seen {
  status: number | undefined
  body: string
  ended: boolean
  reusable: boolean
}

function read(chunks: readonly Buffer[], close = false): Seen {
  const seen: Seen = { status: undefined, body: '', ended: false, reusable: false }
  const parser = new ResponseParser({
    onHead: (head) => void (seen.status = head.status),
    onBody: (bytes) => void (seen.body += bytes.toString('latin1')),
    onEnd: () => void (seen.ended = true),
    takesFrames: false,
    onFrame: () => 'decode',
    onFrames: () => undefined,
  })
  for (const chunk of chunks) parser.push(chunk)
  if (close) parser.closed()
  seen.reusable = parser.reusable
  return seen
}

const whole = (text: string): Buffer[] => [Buffer.from(text, 'latin1')]

const good: readonly (readonly [string, Seen])[] = [
  ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello', { status: 200, body: 'hello', ended: true, reusable: true }],
  [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-trailer: y\r\n\r\n',
    { status: 200, body: 'abc0123456789', ended: true, reusable: true },
  ],
  ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '', ended: true, reusable: true }],
  ['HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', { status: 200, body: '', ended: true, reusable: false }],
]

describe('a response', () => {
  it('reads the same at every cut of its bytes', () => {
    for (const [text, expected] of good) {
      fc.assert(
        fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
          const points = [...new Set(cuts)].sort((a, b) => a - b)
          const chunks = [0, ...points].map((from, index) => Buffer.from(text.slice(from, points[index] ?? text.length), 'latin1'))
          expect(read(chunks)).toEqual(expected)
        }),
        { numRuns: 60 },
      )
    }
  })

  it('may end with the connection when it says no length', () => {
    expect(read(whole('HTTP/1.0 200 OK\r\n\r\nall of it'), true)).toEqual({ status: 200, body: 'all of it', ended: true, reusable: false })
  })

  it('is not whole when the connection ends early', () => {
    expect(read(whole('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf'), true).ended).toBe(false)
  })
})

describe('whole frames', () => {
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
  const frame = (text: string): string => `0${text.length.toString(16).toUpperCase()}\r\n${text}\r\n`

  /** What is decoded, and what passes as it came. */
  function pass(chunks: readonly string[]): {
    readonly decoded: string
    readonly frames: string
    readonly body: string
    readonly done: boolean
  } {
    const seen = { decoded: '', frames: '', body: '' }
    const parser = new ResponseParser({
      onHead: () => undefined,
      onBody: (bytes) => {
        seen.decoded += bytes.toString('latin1')
        seen.body += bytes.toString('latin1')
      },
      onEnd: () => undefined,
      takesFrames: true,
      onFrame: (bytes, start, end) => {
        seen.body += bytes.toString('latin1', start, end)
        return 'pass'
      },
      onFrames: (frames) => void (seen.frames += frames.toString('latin1')),
    })
    for (const text of chunks) parser.push(Buffer.from(text, 'latin1'))
    return { ...seen, done: parser.done }
  }

  it('pass as they came, those behind a frame that two reads share as well', () => {
    const last = frame('c'.repeat(300)) + frame('d') + '0\r\n\r\n'
    const seen = pass([head + frame('a'), frame('b'.repeat(40)).slice(0, 20), frame('b'.repeat(40)).slice(20) + last])
    expect(seen).toMatchObject({ decoded: 'b'.repeat(40), frames: frame('a') + last, done: true })
  })

  it('and torn ones are one body at every cut of its bytes', () => {
    const body = Array.from({ length: 12 }, (_, index) => `${index}`.repeat(index + 1))
    const text = `${head}${body.map(frame).join('')}0\r\n\r\n`
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const points = [...new Set(cuts)].sort((a, b) => a - b)
        const seen = pass([0, ...points].map((from, index) => text.slice(from, points[index] ?? text.length)))
        expect(seen).toMatchObject({ body: body.join(''), done: true })
      }),
      { numRuns: 100 },
    )
  })
})

describe('a hostile response', () => {
  const head = 'HTTP/1.1 200 OK\r\n'
  it.each([
    ['both framings', `${head}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['two lengths', `${head}content-length: 3\r\ncontent-length: 3\r\n\r\n`],
    ['a list of lengths', `${head}content-length: 3, 3\r\n\r\n`],
    ['a signed length', `${head}content-length: +3\r\n\r\n`],
    ['an unknown encoding', `${head}transfer-encoding: gzip, chunked\r\n\r\n`],
    ['a chunk extension', `${head}transfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n`],
    ['a chunk size of spaces', `${head}transfer-encoding: chunked\r\n\r\n 3\r\nabc\r\n`],
    ['a negative chunk', `${head}transfer-encoding: chunked\r\n\r\n-1\r\n`],
    ['a chunk longer than it says', `${head}transfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n`],
    ['a bare line feed in a chunk line', `${head}transfer-encoding: chunked\r\n\r\n3\nabc\r\n`],
    ['a bare line feed in the head', 'HTTP/1.1 200 OK\nx: y\r\n\r\n'],
    ['a folded header', `${head}x: a\r\n b\r\n\r\n`],
    ['a NUL in a value', `${head}x: a\0b\r\n\r\n`],
    ['a space before the colon', `${head}x : a\r\n\r\n`],
    ['another protocol', 'HTTP/2 200 OK\r\n\r\n'],
    ['no status line', 'hello\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['bytes after the end', `${head}content-length: 1\r\n\r\nab`],
    ['a second answer', `${head}content-length: 0\r\n\r\n${head}content-length: 0\r\n\r\n`],
    ['a head without end', `${head}x: ${'a'.repeat(70_000)}`],
    ['a chunk line without end', `${head}transfer-encoding: chunked\r\n\r\n${'0'.repeat(5_000)}`],
  ])('is refused: %s', (_title, text) => {
    expect(() => read(whole(text))).toThrow(UpstreamError)
  })
})
