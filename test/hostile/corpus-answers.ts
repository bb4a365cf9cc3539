/** Plain answers of a hostile engine: framing, heads, statuses, ends. */
import { answered, chunkOf, OK_LENGTH, response, STRAY, type ResponseCase, type Seen } from './response-case.js'

const BODY = '{"ok":1}'
const CHUNKED = 'transfer-encoding: chunked'
const good = answered([OK_LENGTH])
const second = answered([`content-length: ${STRAY.length}`], STRAY)
const either: readonly Seen[] = ['refused', 'broken']

const framing: readonly ResponseCase[] = [
  response('a plain answer', '6.2', 'whole', good),
  response('a chunked answer', '7.1', 'whole', answered([CHUNKED], `${chunkOf(BODY)}0\r\n\r\n`)),
  response('an answer ended by the close', '6.3', 'whole', [answered([]), 'close']),
  response('CL and TE', '6.1', 'refused', answered([OK_LENGTH, CHUNKED], `${chunkOf(BODY)}0\r\n\r\n`)),
  response('TE and CL', '6.1', 'refused', answered([CHUNKED, OK_LENGTH], `${chunkOf(BODY)}0\r\n\r\n`)),
  response('two equal CL', '6.3', 'refused', answered([OK_LENGTH, OK_LENGTH])),
  response('two different CL', '6.3', 'refused', answered([OK_LENGTH, 'content-length: 3'])),
  ...['8, 8', '+8', '-8', '0x8', '8.0', '', '8 8', '99999999999999999999', '"8"', '8;a'].map((value) =>
    response(`CL ${JSON.stringify(value)}`, '6.3', 'refused', answered([`content-length: ${value}`])),
  ),
  ...['xchunked', 'gzip, chunked', 'chunked, chunked', 'identity', 'chunked, identity', '', 'chunked;a', ', chunked'].map((value) =>
    response(`TE ${JSON.stringify(value)}`, '6.1', 'refused', answered([`transfer-encoding: ${value}`], `${chunkOf(BODY)}0\r\n\r\n`)),
  ),
  response('two TE', '6.1', 'refused', answered([CHUNKED, CHUNKED], `${chunkOf(BODY)}0\r\n\r\n`)),
  response('TE on HTTP/1.0', '6.1', ['refused', 'whole'], [answered([CHUNKED], `${chunkOf(BODY)}0\r\n\r\n`, 'HTTP/1.0 200 OK'), 'close']),
  ...(
    [
      ['0x', `0x8\r\n${BODY}\r\n0\r\n\r\n`],
      ['with a plus', `+8\r\n${BODY}\r\n0\r\n\r\n`],
      ['with a minus', `-1\r\n${BODY}\r\n0\r\n\r\n`],
      ['empty', `\r\n${BODY}\r\n0\r\n\r\n`],
      ['of 17 digits', `00000000000000008\r\n${BODY}\r\n0\r\n\r\n`],
      ['of 64 ones', `ffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n`],
      ['behind a space', ` 8\r\n${BODY}\r\n0\r\n\r\n`],
      ['before a space', `8 \r\n${BODY}\r\n0\r\n\r\n`],
      ['ended by LF', `8\n${BODY}\r\n0\r\n\r\n`],
      ['too small', `7\r\n${BODY}\r\n0\r\n\r\n`],
      ['too large', `9\r\n${BODY}\r\n0\r\n\r\n`],
      ['with no CRLF behind the data', `8\r\n${BODY}0\r\n\r\n`],
      ['with LF behind the data', `8\r\n${BODY}\n0\r\n\r\n`],
    ] as const
  ).map(([title, body]) => response(`chunk size ${title}`, '7.1', either, answered([CHUNKED], body))),
  response('chunk extension', '7.1.1', ['refused', 'whole'], answered([CHUNKED], `8;a=b\r\n${BODY}\r\n0\r\n\r\n`)),
  response('chunk extension with LF', '7.1.1', either, answered([CHUNKED], `8;a="\n"\r\n${BODY}\r\n0\r\n\r\n`)),
  response('trailers', '7.1.2', ['whole', 'refused'], answered([CHUNKED], `${chunkOf(BODY)}0\r\nx-a: b\r\ncontent-length: 3\r\n\r\n`)),
  response('a bad trailer', '7.1.2', ['whole', 'refused'], answered([CHUNKED], `${chunkOf(BODY)}0\r\nno colon\r\n\r\n`)),
  response('endless trailers', '7.1.2', either, [
    answered([CHUNKED], `${chunkOf(BODY)}0\r\n`),
    ...Array.from({ length: 50 }, () => `x: ${'a'.repeat(2_000)}\r\n`),
  ]),
  response('a chunk line of 100 KiB', '7.1', either, answered([CHUNKED], `8;${'a'.repeat(102_400)}\r\n${BODY}\r\n0\r\n\r\n`)),
]

const field = (title: string, line: string): ResponseCase => response(title, '5', 'refused', answered([OK_LENGTH, line]))

const heads: readonly ResponseCase[] = [
  ...(
    [
      ['bare LF in a value', 'x-a: a\nx-b: b'],
      ['bare CR in a value', 'x-a: a\rb'],
      ['NUL in a value', 'x-a: a\0b'],
      ['ESC in a value', 'x-a: \x1b[31m'],
      ['obs-fold', 'x-a: a\r\n b'],
      ['space before the colon', 'x-a : b'],
      ['no colon', 'x-a b'],
      ['an empty name', ': b'],
      ['a name that is not ASCII', 'x-\xe9: b'],
    ] as const
  ).map(([title, line]) => field(title, line)),
  response('a head of bare LFs', '2.2', 'refused', [good.replaceAll('\r\n', '\n'), 'close']),
  ...[
    'HTTP/0.9 200 OK',
    'HTTP/2 200',
    'HTTP/2.0 200 OK',
    'HTTP/1.2 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 abc OK',
    'HTTP/1.1 -200 OK',
    'HTTP/1.1 999 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1\t200\tOK',
    'HTTP/1.1200 OK',
    'ICY 200 OK',
    'HTTP/1.1 200 O\0K',
    '',
    ' HTTP/1.1 200 OK',
    'garbage',
  ].map((line) => response(`status line ${JSON.stringify(line)}`, '4', 'refused', answered([OK_LENGTH], BODY, line))),
  response('status line without a reason', '4', 'whole', answered([OK_LENGTH], BODY, 'HTTP/1.1 200 ')),
  response('HTTP/0.9: a body and nothing else', '2.3', 'refused', [BODY, 'close']),
  response('the HTTP/2 preface', '9113 3.4', 'refused', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  response('an HTTP/2 settings frame', '9113 3.4', 'refused', ['\0\0\x12\x04\0\0\0\0\0', 'close']),
  response('a TLS alert', '2', 'refused', ['\x15\x03\x01\x00\x02\x02\x46', 'close']),
  response('a head of 200 KiB', '5.4 of 9110', 'refused', answered([OK_LENGTH, `x-a: ${'a'.repeat(204_800)}`])),
  response('a head that never ends', '5.4 of 9110', 'refused', [
    'HTTP/1.1 200 OK\r\n',
    ...Array.from({ length: 60 }, () => `x-a: ${'b'.repeat(2_000)}\r\n`),
  ]),
  response(
    '300 header lines',
    '5.4 of 9110',
    ['whole', 'refused'],
    answered([OK_LENGTH, ...Array.from({ length: 300 }, (_, index) => `x-${index}: y`)]),
  ),
  response(
    'headers that must not travel',
    '7.6 of 9110',
    'whole',
    answered([OK_LENGTH, `set-cookie: ${STRAY}`, `server: ${STRAY}`, `x-a: ${STRAY}`, 'connection: x-a', `location: ${STRAY}`]),
  ),
]

const statuses: readonly ResponseCase[] = [
  response(
    '101 Switching Protocols',
    '15.2.2 of 9110',
    'refused',
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n${STRAY}`,
  ),
  response('100 Continue first', '15.2.1 of 9110', 'whole', `HTTP/1.1 100 Continue\r\n\r\n${good}`),
  response('100 Continue in HTTP/1.0', '15.2 of 9110', 'refused', `HTTP/1.0 100 Continue\r\n\r\n${good}`),
  response('102 with chunks', '6.1', 'refused', `HTTP/1.1 102 Processing\r\ntransfer-encoding: chunked\r\n\r\n${good}`),
  response('103 Early Hints first', '8297', 'whole', `HTTP/1.1 103 Early Hints\r\nlink: <${STRAY}>\r\n\r\n${good}`),
  response('1000 times 102', '15.2 of 9110', ['refused', 'whole'], `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1_000)}${good}`),
  response(
    '102 for ever',
    '15.2 of 9110',
    'refused',
    Array.from({ length: 40 }, () => [{ pauseMs: 100 }, 'HTTP/1.1 102 Processing\r\n\r\n'] as const).flat(),
  ),
  response(
    '102 with a length',
    '15.2 of 9110',
    'refused',
    `HTTP/1.1 102 Processing\r\ncontent-length: ${STRAY.length}\r\n\r\n${STRAY}${good}`,
  ),
  response('204 with a body', '15.3.5 of 9110', ['whole', 'refused'], `HTTP/1.1 204 No Content\r\n\r\n${second}`, {
    status: 204,
    body: '',
  }),
  response(
    '204 with a length',
    '8.6 of 9110',
    ['whole', 'refused'],
    `HTTP/1.1 204 No Content\r\ncontent-length: ${STRAY.length}\r\n\r\n${STRAY}`,
    { status: 204, body: '' },
  ),
  response(
    '304 with a body',
    '15.4.5 of 9110',
    ['whole', 'refused'],
    `HTTP/1.1 304 Not Modified\r\ncontent-length: ${STRAY.length}\r\n\r\n${STRAY}`,
    { status: 304, body: '' },
  ),
  response('205 with a body', '15.3.6 of 9110', ['whole', 'refused'], answered([OK_LENGTH], BODY, 'HTTP/1.1 205 Reset Content'), {
    status: 205,
  }),
  response(
    'a redirect',
    '15.4 of 9110',
    ['whole', 'refused'],
    answered([OK_LENGTH, 'location: http://b.example/'], BODY, 'HTTP/1.1 302 Found'),
    { status: 302 },
  ),
]

const ends: readonly ResponseCase[] = [
  response('closed before a byte', '8', 'refused', ['close']),
  response('reset before a byte', '8', 'refused', ['reset']),
  response('closed in the status line', '8', 'refused', ['HTTP/1.1 20', 'close']),
  response('closed in the head', '8', 'refused', ['HTTP/1.1 200 OK\r\ncontent-ty', 'close']),
  response('closed in a counted body', '8', either, [answered(['content-length: 9']), 'close']),
  response('reset in a counted body', '8', either, [answered(['content-length: 9']), { pauseMs: 20 }, 'reset']),
  response('closed in a chunk', '8', either, [answered([CHUNKED], '9\r\n{"ok":1}'), 'close']),
  response('closed between chunks', '8', either, [answered([CHUNKED], chunkOf(BODY)), 'close']),
  response('closed in the last chunk', '8', either, [answered([CHUNKED], `${chunkOf(BODY)}0\r\n`), 'close']),
  response('silent in the head', '8', 'refused', ['HTTP/1.1 200 OK\r\n']),
  response('silent in the body', '8', either, answered(['content-length: 9'])),
  response('reset in a body without a length', '6.3', either, [answered([]), { pauseMs: 20 }, 'reset']),
  response('100 KiB, then a short end', '8', 'broken', [
    answered(['content-length: 200000'], 'x'.repeat(100_000)),
    { pauseMs: 50 },
    'close',
  ]),
  response('connection: close', '9.6', 'whole', [answered([OK_LENGTH, 'connection: close']), 'close']),
  response('connection: close, but open', '9.6', 'whole', answered([OK_LENGTH, 'connection: close'])),
  response('connection: content-length', '7.6.1 of 9110', 'whole', answered([OK_LENGTH, 'connection: content-length'])),
  response('HTTP/1.0', '9.3', 'whole', [answered([OK_LENGTH], BODY, 'HTTP/1.0 200 OK'), 'close']),
  response(
    'gzip that nobody asked for',
    '8.4 of 9110',
    ['whole', 'refused'],
    answered(['content-encoding: gzip', 'content-length: 4'], '\x1f\x8b\x08\0'),
    { body: '\x1f\x8b\x08\0' },
  ),
  response('a second answer behind the first', '9.3', ['whole', 'refused'], `${good}${second}`),
  response('a second answer a little later', '9.3', 'whole', [good, { pauseMs: 5 }, second]),
  response('a second answer much later', '9.3', 'whole', [good, { pauseMs: 60 }, second]),
  response('stray bytes behind the answer', '9.3', ['whole', 'refused'], `${good}${STRAY}`),
  response('stray bytes behind the last chunk', '7.1', ['whole', 'refused'], answered([CHUNKED], `${chunkOf(BODY)}0\r\n\r\n${second}`)),
  response('an answer, then the end', '9.6', 'whole', [good, 'close']),
  response('an answer, then a reset', '9.6', ['whole', 'refused'], [good, { pauseMs: 5 }, 'reset']),
  response(
    'an error object in plain text',
    '15.6 of 9110',
    ['whole', 'refused'],
    answered([OK_LENGTH], BODY, 'HTTP/1.1 500 Internal Server Error'),
    { status: 500 },
  ),
]

export const answerCorpus: readonly ResponseCase[] = [...framing, ...heads, ...statuses, ...ends]
