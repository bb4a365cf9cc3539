/** Targets, Connection, Expect, pipelines, early answers, headers that must not travel. */
import { bodyOf, chunked, HUSH, LINE, latin1, post, request, written, type Expect, type RequestCase } from './request-case.js'

const TARGET = ['3.2', 'an origin-form path that is served here, exactly'] as const
const FORM = ['3.2', 'only origin-form is taken'] as const
const HOP = ['7.6.1 of 9110', 'what Connection names ends here and changes no framing'] as const
const UPGRADE = ['7.8 of 9110', 'nothing is switched to'] as const
const EXPECT = ['10.1.1 of 9110', '100-continue is met, anything else is 417'] as const
const EARLY = ['9.3, 6.3', 'a body that was not wanted is still a body'] as const
const ORDER = ['9.3.2', 'answers come in the order of the requests'] as const
const KEPT = ['7.6 of 9110', 'only headers of the allow-list travel'] as const

const inner = `POST /v1/completions HTTP/1.1\r\nHost: a.example\r\nX-Secret: ${HUSH}\r\nContent-Length: 2\r\n\r\n{}`
const to = (target: string, expect: Expect | readonly Expect[], rule: readonly [string, string] = TARGET, method = 'POST'): RequestCase =>
  request(`${method} ${JSON.stringify(target.slice(0, 60))}`, rule, expect, (b) => post(b, [], `${method} ${target} HTTP/1.1`))

const away: readonly Expect[] = ['declined', 'refused']

const targets: readonly RequestCase[] = [
  ...[
    '/v1/chat/completions%00',
    '//a.example/v1/chat/completions',
    '/v1/../v1/chat/completions',
    '/v1/chat/completions/../completions',
    '/v1/chat/completions/',
    '/V1/chat/completions',
    '/v1/chat/./completions',
    '/v1//chat/completions',
    '/v1/chat/completions;x=1',
    '/v1/chat%2fcompletions',
    '/v1/chat\\completions',
    '/%2e%2e/v1/chat/completions',
    '/v1/chat/completions%0d%0aX:y',
    '/__proto__',
    '/constructor',
  ].map((target) => to(target, away)),
  ...[
    '/v1/chat/completions#x',
    '/v1/chat/completions#?y',
    '/v1/caf\xc3\xa9',
    'http://a.example/v1/chat/completions',
    'http://b.example/v1/chat/completions',
    'https://a@b/v1/chat/completions',
    'a.example:80',
    '*',
    'v1/chat/completions',
    '?x',
    '\\v1',
  ].map((target) => to(target, away, FORM)),
  to('*', away, FORM, 'OPTIONS'),
  to('a.example:443', 'refused', UPGRADE, 'CONNECT'),
  to('/v1/chat/completions', 'refused', UPGRADE, 'CONNECT'),
  to(`/v1/chat/completions?x=${HUSH}&y=%0d%0aX-Y:z`, 'served', ['3.2.1', 'a query is allowed and does not travel']),
  to('/v1/chat/completions?', 'served', ['3.2.1', 'an empty query is allowed']),
]

const hop = (title: string, lines: readonly string[], options: { readonly handler?: readonly Expect[] } = {}): RequestCase =>
  request(`Connection: ${title}`, HOP, 'served', (b) => post(b, lines), options)

const connections: readonly RequestCase[] = [
  hop('content-length', ['Connection: content-length']),
  hop('close, content-length', ['Connection: close, content-length']),
  hop('host', ['Connection: host']),
  hop('authorization, x-request-id', ['Connection: authorization, x-request-id', `Authorization: ${HUSH}`, `X-Request-Id: ${HUSH}`]),
  hop('traceparent', ['Connection: keep-alive, Traceparent', `Traceparent: ${HUSH}`]),
  hop('user-agent', ['Connection: user-agent', `User-Agent: ${HUSH}`]),
  hop('accept in two lines', ['Connection: keep-alive', 'Connection: accept', `Accept: ${HUSH}`]),
  hop('openai-beta amid tabs', ['Connection: \topenai-beta\t,x', `OpenAI-Beta: ${HUSH}`]),
  request('Connection: transfer-encoding', HOP, 'served', (b) =>
    written({ lines: ['Connection: transfer-encoding', 'Transfer-Encoding: chunked'], body: chunked(b) }),
  ),
  request(
    'Connection: close ends it',
    ['9.6', 'nothing behind the last request is read'],
    'served',
    (b) => `${post(b, ['Connection: close'])}${post('{"model":"m","user":"behind close"}')}`,
    { statuses: [200], listenOnly: true },
  ),
  request(
    'HTTP/1.0 ends it',
    ['9.3', 'HTTP/1.0 closes without keep-alive'],
    'served',
    (b) => `${post(b, [], LINE.replace('1.1', '1.0'))}${post('{"model":"m","user":"behind 1.0"}')}`,
    { statuses: [200], handler: ['served', 'refused'], listenOnly: true },
  ),
  ...['Proxy-Connection: keep-alive', 'TE: trailers', 'Keep-Alive: timeout=5', 'Trailer: x-a', 'Upgrade: h2c', 'Connection: upgrade'].map(
    (line) => request(`alone: ${line}`, HOP, 'served', (b) => post(b, [line])),
  ),
  request(
    'Upgrade: websocket',
    UPGRADE,
    'refused',
    () =>
      written({
        line: 'GET /v1/realtime HTTP/1.1',
        lines: ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version: 13'],
      }),
    { handler: ['refused', 'declined'] },
  ),
  request(
    'Upgrade: websocket, then frames',
    UPGRADE,
    'refused',
    () => `${written({ line: 'GET /health HTTP/1.1', lines: ['Connection: upgrade', 'Upgrade: websocket'] })}${inner}`,
    { handler: ['refused', 'declined'] },
  ),
  request('Upgrade: h2c', UPGRADE, ['refused', 'served'], (b) =>
    post(b, ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']),
  ),
]

const expectations: readonly RequestCase[] = [
  request('100-continue with a body', EXPECT, 'served', (b) => [
    latin1(written({ lines: [`Content-Length: ${b.length}`, 'Expect: 100-continue'] })),
    { until: 'HTTP/1.1 100 Continue\r\n\r\n' },
    latin1(b),
  ]),
  request('100-continue with chunks', EXPECT, 'served', (b) => [
    latin1(written({ lines: ['Transfer-Encoding: chunked', 'Expect: 100-Continue'] })),
    { until: 'HTTP/1.1 100 Continue\r\n\r\n' },
    latin1(chunked(b)),
  ]),
  request('100-continue and a body at once', EXPECT, 'served', (b) => post(b, ['Expect: 100-continue'])),
  request('100-continue without a body', EXPECT, away, () => written({ lines: ['Expect: 100-continue'] }), { statuses: [400] }),
  request('100-continue on HTTP/1.0', EXPECT, 'served', (b) => post(b, ['Expect: 100-continue'], LINE.replace('1.1', '1.0'))),
  ...['200-ok', '100-continue, x', '100-continue;q=1', 'x'].map((value) =>
    request(`Expect: ${value}`, EXPECT, away, (b) => post(b, [`Expect: ${value}`]), {
      statuses: [417],
      handler: [...away, 'served'],
      listenOnly: true,
    }),
  ),
]

const early = (title: string, line: string, lines: readonly string[], status: number): RequestCase =>
  request(title, EARLY, away, () => post(inner, lines, line), { statuses: [status] })

const earlyAnswers: readonly RequestCase[] = [
  early('404 before a body that looks like a request', 'POST /nope HTTP/1.1', [], 404),
  early('405 before a body that looks like a request', 'PUT /v1/chat/completions HTTP/1.1', [], 405),
  request(
    '404 before chunks that look like a request',
    EARLY,
    away,
    () => written({ line: 'POST /nope HTTP/1.1', lines: ['Transfer-Encoding: chunked'], body: chunked(inner) }),
    { statuses: [404] },
  ),
  request(
    '404 first, the body later',
    EARLY,
    away,
    () => [latin1(written({ line: 'POST /nope HTTP/1.1', lines: [`Content-Length: ${inner.length}`] })), { until: '404' }, latin1(inner)],
    { statuses: [404] },
  ),
  request(
    '404 to 100-continue, then the body anyway',
    EARLY,
    away,
    () => [
      latin1(written({ line: 'POST /nope HTTP/1.1', lines: [`Content-Length: ${inner.length}`, 'Expect: 100-continue'] })),
      { until: '404' },
      latin1(inner),
    ],
    { statuses: [404] },
  ),
  request(
    '413 before the body',
    ['15.5.14 of 9110', 'a body over the limit is refused at its head'],
    'refused',
    () => [latin1(written({ lines: ['Content-Length: 100000000'] })), { until: '413' }, latin1(inner)],
    { statuses: [413] },
  ),
  request(
    'GET /health with a body, then POST',
    EARLY,
    ['served', 'refused'],
    (b) => `${written({ line: 'GET /health HTTP/1.1', lines: [`Content-Length: ${inner.length}`], body: inner })}${post(b)}`,
  ),
]

const row = Array.from({ length: 20 }, (_, index) => bodyOf(`row ${index}`))

const pipelines: readonly RequestCase[] = [
  request('GET then POST in one write', ORDER, 'served', (b) => `${written({ line: 'GET /health HTTP/1.1' })}${post(b)}`, {
    statuses: [200, 200],
  }),
  request('20 POSTs in one write', ORDER, 'served', () => row.map((body) => post(body)).join(''), {
    bodies: row,
    statuses: row.map(() => 200),
  }),
  request(
    'chunks, then a length, then chunks',
    ORDER,
    'served',
    () =>
      [row[0] ?? '', row[1] ?? '', row[2] ?? '']
        .map((body, index) => (index === 1 ? post(body) : written({ lines: ['Transfer-Encoding: chunked'], body: chunked(body) })))
        .join(''),
    { bodies: row.slice(0, 3), statuses: [200, 200, 200] },
  ),
  request('a body that is a request', ['6', 'a body is bytes'], away, () => post(inner), { statuses: [400] }),
  request('POST, then garbage', ['2.2', 'what follows is no request'], 'served', (b) => `${post(b)}GARBAGE\r\n\r\n`, {
    statuses: [200, 400],
    handler: ['served', 'refused'],
    listenOnly: true,
  }),
  request(
    'POST, then half a request, then the end',
    ['8', 'an incomplete request is no request'],
    'served',
    (b) => [latin1(`${post(b)}POST /v1/chat/completions HTTP/1.1\r\nHost: a`), { until: 'receipt' }, 'end'],
    { statuses: [200], listenOnly: true },
  ),
  request('POST, then CRLF, then POST', ['2.2', 'clients of old'], 'served', () => `${post(row[4] ?? '')}\r\n${post(row[5] ?? '')}`, {
    bodies: row.slice(4, 6),
    statuses: [200, 200],
  }),
  request('GET, POST, then a smuggled prefix', ORDER, 'served', (b) => `${written({ line: 'GET /health HTTP/1.1' })}${post(b)}G`, {
    statuses: [200, 200],
  }),
  request(
    'a request byte by byte',
    ['2.2', 'packets mean nothing'],
    'served',
    (b) =>
      post(b)
        .split('')
        .flatMap((c) => [latin1(c), { pauseMs: 0 }]),
    { statuses: [200] },
  ),
]

const kept = (line: string): RequestCase => request(`kept here: ${line.slice(0, 40)}`, KEPT, 'served', (b) => post(b, [line]))

const travelling: readonly RequestCase[] = [
  ...[
    'Authorization',
    'Proxy-Authorization',
    'X-Api-Key',
    'Cookie',
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Original-URL',
    'X-Rewrite-URL',
    'Via',
    'Max-Forwards',
    'Content-Encoding',
    'Content-Type',
    'Range',
    'Origin',
    'Referer',
    'HTTP2-Settings',
    'X-Lb-Node',
    'Accept-Encoding',
    'If-Match',
  ].map((name) => kept(`${name}: ${HUSH}`)),
  ...[`${HUSH} b`, `"${HUSH}"`, `${HUSH};a=b`, `${HUSH}\xe9`, `${HUSH}${'a'.repeat(200)}`].map((value) => kept(`X-Request-Id: ${value}`)),
  request('X-Request-Id twice', KEPT, 'served', (b) => post(b, [`X-Request-Id: ${HUSH}`, 'X-Request-Id: b'])),
]

export const semanticsCorpus: readonly RequestCase[] = [
  ...targets,
  ...connections,
  ...expectations,
  ...earlyAnswers,
  ...pipelines,
  ...travelling,
]
