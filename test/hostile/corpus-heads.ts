/** Start lines, versions, field lines, Host, sizes. */
import { HUSH, LINE, latin1, post, request, written, type Expect, type RequestCase } from './request-case.js'

type Rule = readonly [rfc: string, why: string]

const START: Rule = ['3', 'method SP target SP version CRLF, nothing else']
const VERSION: Rule = ['2.3', 'HTTP/1.1 and HTTP/1.0 are spoken here']
const SPACES: Rule = ['3', 'a reader may take several spaces for one']
const CONTROL = ['2.2, 5.5 of 9110', 'no bare CR, LF, NUL or control character anywhere in a head'] as const
const NAMES = ['5.1', 'a field name is a token with its colon behind it'] as const
const FOLD = ['5.2', 'obs-fold is refused'] as const
const HOST = ['3.2', 'exactly one valid Host'] as const
const LIMIT = ['2.3 of 9110, 6585 5', 'a head is 16 KiB and 100 fields at most'] as const
const ROBUST = ['2.2', 'an empty line before a request is skipped'] as const

const start = (line: string, rule = START, expect: Expect | readonly Expect[] = 'refused', handler = expect): RequestCase =>
  request(`start line ${JSON.stringify(line)}`, rule, expect, (b) => post(b, [], line), { handler })

const startLines: readonly RequestCase[] = [
  ...['POST  /v1/chat/completions HTTP/1.1', 'POST /v1/chat/completions  HTTP/1.1'].map((line) =>
    start(line, SPACES, ['refused', 'declined', 'served']),
  ),
  ...['POST\t/v1/chat/completions\tHTTP/1.1', `${LINE} `, ` ${LINE}`].map((line) => start(line)),
  ...[
    'POST /v1/chat completions HTTP/1.1',
    'POST /v1/chat\0/completions HTTP/1.1',
    'POST /v1/chat\x7f HTTP/1.1',
    'POST /v1\r/chat HTTP/1.1',
  ].map((line) => start(line)),
  ...[
    'P\0ST / HTTP/1.1',
    'P(ST / HTTP/1.1',
    'FOO /v1/chat/completions HTTP/1.1',
    'post /v1/chat/completions HTTP/1.1',
    'Post /v1/chat/completions HTTP/1.1',
    'POSTX /v1/chat/completions HTTP/1.1',
  ].map((line) => start(line)),
  ...['GET /', 'GET / ', 'POST', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'SSH-2.0-OpenSSH_9.6'].map((line) => start(line)),
  ...['0.9', '1.2', '2.0', '3.0', '1.10', '01.1', '1', '1,1', '1.1.1', '-1.1', '1.1x', '9.9', ''].map((version) =>
    start(`POST /v1/chat/completions HTTP/${version}`, VERSION, 'refused', ['refused', 'declined']),
  ),
  ...['http/1.1', 'HTTPS/1.1', 'HTTP /1.1', 'ICY/1.1', 'Http/1.1'].map((version) => start(`POST /v1/chat/completions ${version}`, VERSION)),
  start('POST /v1/chat/completions RTSP/1.0', VERSION, 'refused', ['refused', 'served']),
  start('POST /v1/chat/completions', VERSION, 'refused', ['refused', 'declined']),
  request('HTTP/1.0', VERSION, 'served', (b) => post(b, [], LINE.replace('1.1', '1.0')), { statuses: [200] }),
  request('the HTTP/2 preface', VERSION, 'refused', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'),
  request('one empty line before', ROBUST, 'served', (b) => `\r\n${post(b)}`),
  request('ten empty lines before', ROBUST, ['served', 'refused'], (b) => `${'\r\n'.repeat(10)}${post(b)}`),
  request('a bare LF before', CONTROL, ['refused', 'waits'], (b) => `\n${post(b)}`, { handler: ['refused', 'served'] }),
  request('a NUL before', START, 'refused', (b) => `\0${post(b)}`),
  request(
    'DELETE',
    ['15.5.6 of 9110', 'not the method here'],
    ['declined', 'refused'],
    (b) => post(b, [], LINE.replace('POST', 'DELETE')),
    { statuses: [405] },
  ),
  request(
    'GET in place of POST',
    ['15.5.6 of 9110', 'not the method here'],
    ['declined', 'refused'],
    () => written({ line: LINE.replace('POST', 'GET') }),
    { statuses: [405] },
  ),
  ...['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'].map((name) =>
    request(
      `${name} on GET`,
      ['9.1 of 9110', 'the method is what the request line says'],
      ['declined', 'refused'],
      () => written({ line: LINE.replace('POST', 'GET'), lines: [`${name}: POST`] }),
      { statuses: [405] },
    ),
  ),
]

const lineCase = (
  title: string,
  rule: readonly [string, string],
  line: string,
  expect: Expect | readonly Expect[] = 'refused',
): RequestCase => request(title, rule, expect, (b) => post(b, [line]))

const fieldLines: readonly RequestCase[] = [
  ...[
    ['bare CR in a value', 'X-A: a\rb'],
    ['bare LF in a value', 'X-A: a\nb'],
    ['LF ends a field line', 'X-A: a\nX-B: b'],
    ['CRCRLF ends a field line', 'X-A: a\r'],
    ['NUL in a value', 'X-A: a\0b'],
    ['0x01 in a value', 'X-A: a\x01b'],
    ['ESC in a value', 'X-A: \x1b[31m'],
    ['DEL in a value', 'X-A: a\x7fb'],
    ['backspace in a value', 'X-A: a\bb'],
  ].map(([title = '', line = '']) => lineCase(title, CONTROL, line)),
  ...[
    ['a NUL in a name', 'X\0A: b'],
    ['a space before the colon', 'X-A : b'],
    ['a tab before the colon', 'X-A\t: b'],
    ['a space in a name', 'X A: b'],
    ['an empty name', ': b'],
    ['no colon', 'X-A b'],
    ['a parenthesis in a name', 'X(A): b'],
    ['an at sign in a name', 'X@A: b'],
    ['a name that is not ASCII', 'X-\xc3\xa9: b'],
    ['a quoted name', '"X-A": b'],
    ['a DEL in a name', 'X\x7fA: b'],
  ].map(([title = '', line = '']) => lineCase(title, NAMES, line)),
  lineCase('obs-fold with a space', FOLD, 'X-A: a\r\n b'),
  lineCase('obs-fold with a tab', FOLD, 'X-A: a\r\n\tb'),
  lineCase('obs-fold of nothing', FOLD, 'X-A: a\r\n \r\nX-B: c'),
  lineCase('obs-fold that hides a header', FOLD, `Accept: a\r\n Authorization: ${HUSH}`),
  request('a space before the first field', ['2.2', 'white space before the first field is refused'], 'refused', (b) =>
    written({ host: false, lines: [' X: y', 'Host: a.example', `Content-Length: ${b.length}`], body: b }),
  ),
  lineCase('obs-text in a value', ['5.5 of 9110', 'opaque, but allowed'], 'Accept: a\xe9\xff', ['served', 'refused']),
  lineCase('an empty value', ['5.5 of 9110', 'allowed'], 'X-A:', 'served'),
  lineCase('a value without a space', ['5', 'allowed'], 'X-A:b', 'served'),
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((name) =>
    lineCase(`a header named ${name}`, ['5.1 of 9110', 'a name like any other'], `${name}: ${HUSH}`, 'served'),
  ),
  request('a head of bare LFs', CONTROL, ['waits', 'refused'], (b) => post(b).replaceAll('\r\n', '\n')),
  request('an empty line of a bare LF', CONTROL, ['waits', 'refused'], (b) => post(b).replace('\r\n\r\n', '\r\n\n')),
  request('an empty line of LFLF', CONTROL, ['waits', 'refused'], (b) => post(b).replace('\r\n\r\n', '\n\n')),
  request('a head of bare CRs', CONTROL, ['waits', 'refused'], (b) => post(b).replaceAll('\r\n', '\r')),
]

const hostCase = (value: string, expect: Expect | readonly Expect[]): RequestCase =>
  request(
    `Host ${JSON.stringify(value)}`,
    HOST,
    expect,
    (b) => written({ host: false, lines: [`Host: ${value}`, `Content-Length: ${b.length}`], body: b }),
    {
      handler: expect === 'refused' ? ['refused', 'declined'] : expect,
    },
  )

const hosts: readonly RequestCase[] = [
  ...[
    'user@a.example',
    'user:pass@a.example',
    'a b',
    'a, b',
    'a.example/path',
    'a:b',
    'a:80:80',
    '[::1',
    '::1]',
    'a?b',
    'a#b',
    'a\\b',
    'http://a',
    '"a"',
    '<a>',
    'a\xe9',
    '',
  ].map((value) => hostCase(value, 'refused')),
  ...['a.example:8080', '[::1]:80', '127.0.0.1', 'a.example:', 'A.EXAMPLE', 'a_b'].map((value) => hostCase(value, 'served')),
  request('no Host', HOST, 'refused', (b) => written({ host: false, lines: [`Content-Length: ${b.length}`], body: b })),
  request('no Host on HTTP/1.0', HOST, 'served', (b) =>
    written({ line: LINE.replace('1.1', '1.0'), host: false, lines: [`Content-Length: ${b.length}`], body: b }),
  ),
  request('two equal Hosts', HOST, 'refused', (b) => post(b, ['Host: a.example']), { handler: ['refused', 'declined'] }),
  request('two different Hosts', HOST, 'refused', (b) => post(b, ['Host: b.example']), { handler: ['refused', 'declined'] }),
  request('a Host with a space before its colon', HOST, 'refused', (b) =>
    written({ host: false, lines: ['Host : a.example', `Content-Length: ${b.length}`], body: b }),
  ),
]

const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `X-${index}: y`)

const sizes: readonly RequestCase[] = [
  request('a field of 17 KiB', LIMIT, 'refused', (b) => post(b, [`X-A: ${'a'.repeat(17_408)}`])),
  request('a name of 17 KiB', LIMIT, 'refused', (b) => post(b, [`${'a'.repeat(17_408)}: x`])),
  request('17 KiB in 80 fields', LIMIT, 'refused', (b) =>
    post(
      b,
      many(80).map((line) => `${line}${'a'.repeat(210)}`),
    ),
  ),
  request('100 fields', LIMIT, 'served', (b) => post(b, many(98))),
  request('101 fields', LIMIT, 'refused', (b) => post(b, many(99)), { handler: ['served', 'refused'] }),
  request('1000 fields', LIMIT, 'refused', (b) => post(b, many(998)), { handler: ['served', 'refused'] }),
  request('a target of 64 KiB', ['3', '414 or 431'], 'refused', (b) =>
    post(b, [], LINE.replace('completions', `completions?${'a'.repeat(65_536)}`)),
  ),
  request('a head that never ends', LIMIT, 'refused', () => `${LINE}\r\nHost: a\r\n${'X-A: b\r\n'.repeat(10_000)}`),
  request('a method of 20 KiB', LIMIT, 'refused', () => `${'A'.repeat(20_480)} / HTTP/1.1\r\nHost: a\r\n\r\n`),
  request('half a head, then the end', ['8', 'an incomplete request is no request'], 'refused', () => [
    latin1(`${LINE}\r\nHost: a.exam`),
    'end',
  ]),
]

export const headCorpus: readonly RequestCase[] = [...startLines, ...fieldLines, ...hosts, ...sizes]
