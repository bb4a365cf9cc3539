/** Where a body ends: Content-Length, Transfer-Encoding, chunks, trailers. */
import { bodyOf, chunked, HUSH, LINE, latin1, post, request, written, type Expect, type RequestCase } from './request-case.js'

const BOTH = ['6.1', 'two framings: a proxy must not guess'] as const
const LENGTH = ['6.3, 9110 8.6', 'Content-Length is one number of digits'] as const
const CODING = ['6.1, 7', 'chunked alone is known, once, last'] as const
const NAME = ['5.1', 'nothing stands between a field name and its colon'] as const
const CHUNK = ['7.1', 'a chunk is size CRLF data CRLF'] as const
const EXTENSION = ['7.1.1', 'extensions are legal and useless; the listen door takes none'] as const
const TRAILER = ['7.1.2', 'trailers are legal; the listen door takes none, the other drops them'] as const

const smuggled = `POST /v1/completions HTTP/1.1\r\nHost: a.example\r\nX-Secret: ${HUSH}\r\nContent-Length: 2\r\n\r\n{}`
const te = (value: string, body: string, line = LINE): string =>
  written({ line, lines: [`Transfer-Encoding: ${value}`], body: chunked(body) })
const cl = (value: string, body: string): string => written({ lines: [`Content-Length: ${value}`], body })

const both: readonly RequestCase[] = [
  request('CL then TE', BOTH, 'refused', (b) =>
    written({ lines: [`Content-Length: ${b.length}`, 'Transfer-Encoding: chunked'], body: chunked(b) }),
  ),
  request('TE then CL', BOTH, 'refused', (b) =>
    written({ lines: ['Transfer-Encoding: chunked', `Content-Length: ${b.length}`], body: chunked(b) }),
  ),
  request('CL.TE smuggles a prefix', BOTH, 'refused', () =>
    written({ lines: [`Content-Length: ${5 + smuggled.length}`, 'Transfer-Encoding: chunked'], body: `0\r\n\r\n${smuggled}` }),
  ),
  request('TE.CL smuggles a prefix', BOTH, 'refused', () =>
    written({
      lines: ['Content-Length: 4', 'Transfer-Encoding: chunked'],
      body: `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    }),
  ),
  ...[
    ['space before the colon', 'Transfer-Encoding : chunked'],
    ['tab before the colon', 'Transfer-Encoding\t: chunked'],
    ['vertical tab before the name', '\vTransfer-Encoding: chunked'],
    ['space before the name', ' Transfer-Encoding: chunked'],
    ['NUL in the name', 'Transfer-Encoding\0: chunked'],
    ['vertical tab before the value', 'Transfer-Encoding: \vchunked'],
    ['line feed before the name', 'X: y\nTransfer-Encoding: chunked'],
    ['carriage return before the name', 'X: y\rTransfer-Encoding: chunked'],
    ['obs-fold before the value', 'Transfer-Encoding:\r\n chunked'],
  ].map(([title = '', line = '']) =>
    request(`CL beside a hidden TE: ${title}`, NAME, 'refused', (b) => written({ lines: [`Content-Length: ${b.length}`, line], body: b })),
  ),
]

const lengths: readonly RequestCase[] = [
  request('two equal CL', LENGTH, 'refused', (b) =>
    written({ lines: [`Content-Length: ${b.length}`, `Content-Length: ${b.length}`], body: b }),
  ),
  request('two different CL', LENGTH, 'refused', (b) => written({ lines: [`Content-Length: ${b.length}`, 'Content-Length: 3'], body: b })),
  request('CL is a list', LENGTH, 'refused', (b) => cl(`${b.length}, ${b.length}`, b)),
  ...(
    [
      ['with a plus', (n: number) => `+${n}`],
      ['with a minus', (n: number) => `-${n}`],
      ['hexadecimal', (n: number) => `0x${n.toString(16)}`],
      ['with a fraction', (n: number) => `${n}.0`],
      ['with an exponent', () => '5e1'],
      ['in quotes', (n: number) => `"${n}"`],
      ['with a parameter', (n: number) => `${n};q=1`],
      ['with a space inside', (n: number) => `${Math.floor(n / 10)} ${n % 10}`],
      ['with words behind', (n: number) => `${n} bytes`],
      ['empty', () => ''],
      ['with a vertical tab', (n: number) => `${n}\v`],
      ['in digits of another script', () => '\xd9\xa5'],
      ['of 21 digits', () => '999999999999999999999'],
      ['over 2^64', () => '18446744073709551621'],
      ['just over 2^53', () => '9007199254740993'],
      ['of a petabyte', () => '999999999999999'],
    ] as const
  ).map(([title, value]) => request(`CL ${title}`, LENGTH, 'refused', (b) => cl(value(b.length), b))),
  request('CL with leading zeros', LENGTH, 'served', (b) => cl(`000${b.length}`, b)),
  request('CL amid spaces and tabs', ['5.6.3 of 9110', 'white space around a value is no part of it'], ['served', 'refused'], (b) =>
    cl(`  \t${b.length} \t`, b),
  ),
  request('CL in mixed case', ['5.1 of 9110', 'names have no case'], 'served', (b) =>
    written({ lines: [`cOnTeNt-LeNgTh: ${b.length}`], body: b }),
  ),
  request('CL too small', LENGTH, 'refused', (b) => cl(String(b.length - 1), b)),
  request('CL too large, then the end', ['8', 'an incomplete request is no request'], 'refused', (b) => [
    latin1(cl(String(b.length + 1), b)),
    'end',
  ]),
  request('content_length is another header', LENGTH, 'refused', (b) => written({ lines: [`Content_Length: ${b.length}`], body: b })),
]

const codings: readonly RequestCase[] = [
  ...[
    'xchunked',
    'chunked, identity',
    'identity',
    'chunked, chunked',
    'gzip, chunked',
    'chunked;q=1',
    '"chunked"',
    "'chunked'",
    '',
    'chunked,',
    ', chunked',
    'chunked x',
    'chun\tked',
    'chunked\x7f',
  ].map((value) => request(`TE ${JSON.stringify(value)}`, CODING, 'refused', (b) => te(value, b), { handler: ['refused', 'declined'] })),
  request('TE folded', ['5.2', 'obs-fold is refused'], 'refused', (b) => te('\r\n chunked', b)),
  request('TE behind a tab', ['5.6.3 of 9110', 'a tab is white space'], ['served', 'refused'], (b) => te('\tchunked\t', b)),
  request('TE Chunked', ['7', 'names of codings have no case'], 'served', (b) => te('ChUnKeD', b)),
  request('two TE', CODING, 'refused', (b) =>
    written({ lines: ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], body: chunked(b) }),
  ),
  request('two TE that differ', CODING, 'refused', (b) =>
    written({ lines: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], body: chunked(b) }),
  ),
  request(
    'TE on HTTP/1.0',
    ['6.1', 'framing of HTTP/1.0 knows no chunks'],
    'refused',
    (b) => te('chunked', b, LINE.replace('1.1', '1.0')),
    { handler: ['refused', 'declined'] },
  ),
  request('transfer_encoding is another header', CODING, 'served', (b) =>
    written({ lines: ['Transfer_Encoding: identity', 'Transfer-Encoding: chunked'], body: chunked(b) }),
  ),
]

const framed = (body: string): string => written({ lines: ['Transfer-Encoding: chunked'], body })
const chunk = (title: string, make: (size: string, body: string) => string, expect: Expect | readonly Expect[] = 'refused'): RequestCase =>
  request(`chunk ${title}`, CHUNK, expect, (b) => framed(make(b.length.toString(16), b)))

const chunks: readonly RequestCase[] = [
  chunk('size 0x', (n, b) => `0x${n}\r\n${b}\r\n0\r\n\r\n`),
  chunk('size with a plus', (n, b) => `+${n}\r\n${b}\r\n0\r\n\r\n`),
  chunk('size with a minus', (_n, b) => `-1\r\n${b}\r\n0\r\n\r\n`),
  chunk('size empty', (_n, b) => `\r\n${b}\r\n0\r\n\r\n`),
  chunk('size of 17 digits', (n, b) => `${n.padStart(17, '0')}\r\n${b}\r\n0\r\n\r\n`, ['refused', 'served']),
  chunk('size that overflows', (n, b) => `1000000000000000${n}\r\n${b}\r\n0\r\n\r\n`),
  request('chunk size of 64 ones', CHUNK, 'refused', (b) => [
    latin1(framed(`ffffffffffffffff\r\n${b}\r\n0\r\n\r\n`)),
    { pauseMs: 50 },
    'end',
  ]),
  chunk('size behind a space', (n, b) => ` ${n}\r\n${b}\r\n0\r\n\r\n`),
  chunk('size before a space', (n, b) => `${n} \r\n${b}\r\n0\r\n\r\n`),
  chunk('size with an underscore', (n, b) => `${n}_0\r\n${b}\r\n0\r\n\r\n`),
  chunk('size ended by LF', (n, b) => `${n}\n${b}\r\n0\r\n\r\n`),
  chunk('size ended by CR', (n, b) => `${n}\r${b}\r\n0\r\n\r\n`),
  chunk('size ended by CRCRLF', (n, b) => `${n}\r\r\n${b}\r\n0\r\n\r\n`),
  chunk('data without CRLF', (n, b) => `${n}\r\n${b}0\r\n\r\n`),
  chunk('data ended by LF', (n, b) => `${n}\r\n${b}\n0\r\n\r\n`),
  chunk('size too small', (n, b) => `${(Number.parseInt(n, 16) - 1).toString(16)}\r\n${b}\r\n0\r\n\r\n`),
  chunk('size too large', (n, b) => `${(Number.parseInt(n, 16) + 1).toString(16)}\r\n${b}\r\n0\r\n\r\n`),
  chunk('last one ended by LF', (n, b) => `${n}\r\n${b}\r\n0\n\r\n`),
  chunk('end is a bare LF', (n, b) => `${n}\r\n${b}\r\n0\r\n\n`),
  chunk('in capitals with zeros', (n, b) => `000${n.toUpperCase()}\r\n${b}\r\n0\r\n\r\n`, 'served'),
  chunk('last one is 000', (n, b) => `${n}\r\n${b}\r\n000\r\n\r\n`, 'served'),
  request('chunks of one byte', CHUNK, 'served', (b) =>
    framed(
      `${b
        .split('')
        .map((c) => `1\r\n${c}\r\n`)
        .join('')}0\r\n\r\n`,
    ),
  ),
  request('chunks without an end', ['8', 'an incomplete request is no request'], 'refused', (b) => [
    latin1(framed(`${b.length.toString(16)}\r\n${b}\r\n`)),
    'end',
  ]),
  request('chunks whose end holds a request', CHUNK, 'refused', (b) => framed(`${b.length.toString(16)}\r\n${b}\r\n0\r\n${smuggled}`), {
    handler: ['refused', 'served'],
    bodies: [bodyOf('chunks whose end holds a request')],
  }),
  ...['a=b', 'a="b c"', 'a', '=', `x=${'y'.repeat(300)}`].map((extension) =>
    request(
      `chunk extension ${extension.slice(0, 12)}`,
      EXTENSION,
      'refused',
      (b) => framed(`${b.length.toString(16)};${extension}\r\n${b}\r\n0\r\n\r\n`),
      {
        handler: ['served', 'refused'],
        bodies: [bodyOf(`chunk extension ${extension.slice(0, 12)}`)],
      },
    ),
  ),
  chunk('extension with LF in quotes', (n, b) => `${n};a="\n"\r\n${b}\r\n0\r\n\r\n`),
  chunk('extension with a bare CR', (n, b) => `${n};a=\rb\r\n${b}\r\n0\r\n\r\n`),
  chunk('extension ended by LF', (n, b) => `${n};a\n${b}\r\n0\r\n\r\n`),
  chunk('extension of 20 KiB', (n, b) => `${n};${'a'.repeat(20_480)}\r\n${b}\r\n0\r\n\r\n`),
]

const trailers: readonly RequestCase[] = [
  ...['X-A: b', 'Content-Length: 3', 'Host: b.example', 'Transfer-Encoding: chunked', `Authorization: ${HUSH}`, `User-Agent: ${HUSH}`].map(
    (line) =>
      request(`trailer ${line}`, TRAILER, 'refused', (b) => framed(`${b.length.toString(16)}\r\n${b}\r\n0\r\n${line}\r\n\r\n`), {
        handler: ['served', 'refused'],
        bodies: [bodyOf(`trailer ${line}`)],
      }),
  ),
  ...['no colon', ' folded: x', 'A : b', 'A: b\nC: d', ': empty', 'A: \0'].map((line) =>
    request(`bad trailer ${JSON.stringify(line)}`, TRAILER, 'refused', (b) =>
      framed(`${b.length.toString(16)}\r\n${b}\r\n0\r\n${line}\r\n\r\n`),
    ),
  ),
]

const plain: readonly RequestCase[] = [
  request('a plain POST', ['6.2', 'the control: this must work'], 'served', (b) => post(b), { statuses: [200] }),
  request('a plain chunked POST', ['7.1', 'the control: this must work'], 'served', (b) => framed(chunked(b)), { statuses: [200] }),
]

export const framingCorpus: readonly RequestCase[] = [...plain, ...both, ...lengths, ...codings, ...chunks, ...trailers]
