import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { HeadParser, llhttpBytes, MAX_HEADERS } from './llhttp.js'
import { isRefusal, readRequestHead } from './request-head.js'

const parser = new HeadParser()

/** What becomes of a whole head: a refusal's text, or what was read. */
function read(head: string): string | { method: string; path: string; query: string; headers: unknown } {
  const spans = parser.parse(Buffer.from(head, 'latin1'))
  if (typeof spans === 'string') return spans
  const request = readRequestHead(head, spans)
  return isRefusal(request) ? `${request.status} ${request.message}` : request.head
}

describe('the module that undici ships', () => {
  // Not an API of undici. When this fails, the pinned undici was changed: read llhttp's changes, run the hostile tests, then write the new values down.
  const hash = '18403ee56fab07f89a845028bad358bb3ebcda213f8e2ec0989a991e9c33da69'
  const exported =
    '__indirect_function_table _initialize free llhttp_alloc llhttp_errno_name llhttp_execute llhttp_finish llhttp_free llhttp_get_errno ' +
    'llhttp_get_error_pos llhttp_get_error_reason llhttp_get_http_major llhttp_get_http_minor llhttp_get_method llhttp_get_status_code ' +
    'llhttp_get_type llhttp_get_upgrade llhttp_init llhttp_message_needs_eof llhttp_method_name llhttp_pause llhttp_reset llhttp_resume ' +
    'llhttp_resume_after_upgrade llhttp_set_error_reason llhttp_set_lenient_chunked_length llhttp_set_lenient_data_after_close ' +
    'llhttp_set_lenient_headers llhttp_set_lenient_keep_alive llhttp_set_lenient_optional_cr_before_lf ' +
    'llhttp_set_lenient_optional_crlf_after_chunk llhttp_set_lenient_optional_lf_after_cr llhttp_set_lenient_spaces_after_chunk_size ' +
    'llhttp_set_lenient_transfer_encoding llhttp_set_lenient_version llhttp_settings_init llhttp_should_keep_alive llhttp_status_name ' +
    'malloc memory'
  const imported = 'body header_field header_value headers_complete message_begin message_complete status url'

  it('is byte for byte the one that was read and tested', () => {
    expect(createHash('sha256').update(llhttpBytes()).digest('hex')).toBe(hash)
  })

  it('has the exports and imports that the parser is written for', () => {
    const module = new WebAssembly.Module(Uint8Array.from(llhttpBytes()))
    const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name).sort()
    expect(names(WebAssembly.Module.exports(module))).toEqual(exported.split(' '))
    expect(names(WebAssembly.Module.imports(module))).toEqual(imported.split(' ').map((name) => `wasm_on_${name}`))
    expect(WebAssembly.Module.imports(module).every((item) => item.module === 'env' && item.kind === 'function')).toBe(true)
  })
})

describe('a good head', () => {
  it('is read into its parts', () => {
    expect(read('POST /v1/x?a=b?c HTTP/1.1\r\nHost: a:80\r\nX-A:  one \t\r\nx-a:two\r\nEmpty:\r\nUmlaut: \xe4\r\n\r\n')).toEqual({
      method: 'POST',
      path: '/v1/x',
      query: 'a=b?c',
      headers: { host: 'a:80', 'x-a': 'one, two', empty: '', umlaut: '\xe4' },
    })
  })

  it('may be judged by its beginning: no beginning of it is refused, and none disturbs the next parse', () => {
    const head = 'POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nX-Long: some words here\r\n\r\n'
    const whole = read(head)
    for (let end = 0; end < head.length; end += 1) {
      expect(typeof parser.parse(Buffer.from(head.slice(0, end)))).toBe('object')
      expect(read(head)).toEqual(whole)
    }
  })

  it('has at most a hundred headers', () => {
    const lines = (count: number): string => `GET / HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(count - 1)}\r\n`
    expect(read(lines(MAX_HEADERS))).toMatchObject({ path: '/' })
    for (const count of [MAX_HEADERS + 1, MAX_HEADERS + 2, 1_500]) expect(read(lines(count))).toBe('more than 100 headers')
    expect(read(lines(2))).toMatchObject({ headers: { host: 'a', x: 'y' } })
  })
})

describe('a head that two readers could take differently is refused', () => {
  const host = 'host: a\r\n\r\n'
  it.each([
    ['two spaces in front of the target', `GET  / HTTP/1.1\r\n${host}`],
    ['two spaces behind the target', `GET /  HTTP/1.1\r\n${host}`],
    ['a tab behind the method', `GET\t/ HTTP/1.1\r\n${host}`],
    ['line breaks in front of the method', `\r\n\r\nGET / HTTP/1.1\r\n${host}`],
    ['a bare LF in front of the method', `\nGET / HTTP/1.1\r\n${host}`],
    ['a bare CR in front of the method', `\rGET / HTTP/1.1\r\n${host}`],
    ['a space behind the version', `GET / HTTP/1.1 \r\n${host}`],
    ['a lower-case method', `get / HTTP/1.1\r\n${host}`],
    ['an unknown method', `FOO / HTTP/1.1\r\n${host}`],
    ['another protocol with a version of 1', `SOURCE / ICE/1.0\r\n${host}`],
    ['RTSP', `DESCRIBE / RTSP/1.0\r\n${host}`],
    ['HTTP/2', `GET / HTTP/2.0\r\n${host}`],
    ['HTTP/1.2', `GET / HTTP/1.2\r\n${host}`],
    ['HTTP/0.9', 'GET /\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a bare LF behind the request line', `GET / HTTP/1.1\n${host}`],
    ['a bare LF behind a header', 'GET / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n'],
    ['a CR in a value', `GET / HTTP/1.1\r\nx: a\rb\r\n${host}`],
    ['a NUL in a value', `GET / HTTP/1.1\r\nx: a\0b\r\n${host}`],
    ['a control character in a value', `GET / HTTP/1.1\r\nx: \x7f\r\n${host}`],
    ['a space before the colon', 'GET / HTTP/1.1\r\nhost : a\r\n\r\n'],
    ['a space in a name', `GET / HTTP/1.1\r\nx y: a\r\n${host}`],
    ['an empty name', `GET / HTTP/1.1\r\n: a\r\n${host}`],
    ['a folded line', `GET / HTTP/1.1\r\nx: a\r\n b\r\n${host}`],
    ['a list of lengths', `POST / HTTP/1.1\r\ncontent-length: 3, 3\r\n${host}`],
    ['a signed length', `POST / HTTP/1.1\r\ncontent-length: +3\r\n${host}`],
    ['an empty length', `POST / HTTP/1.1\r\ncontent-length: \r\n${host}`],
    ['a huge length', `POST / HTTP/1.1\r\ncontent-length: ${'9'.repeat(16)}\r\n${host}`],
    ['two lengths', `POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 3\r\n${host}`],
    ['a length and an encoding', `POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n${host}`],
    ['an encoding and a length', `POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n${host}`],
    ['an unknown encoding', `POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n${host}`],
    ['chunked not last', `POST / HTTP/1.1\r\ntransfer-encoding: chunked, gzip\r\n${host}`],
    ['chunked twice', `POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n${host}`],
    ['chunked behind another encoding', `POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n${host}`],
    ['chunked on HTTP/1.0', `POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n${host}`],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['an empty host', 'GET / HTTP/1.1\r\nhost:\r\n\r\n'],
    ['two hosts', `GET / HTTP/1.1\r\nhost: a\r\n${host}`],
    ['a host with user info', 'GET / HTTP/1.1\r\nhost: u@a\r\n\r\n'],
    ['a list of hosts', 'GET / HTTP/1.1\r\nhost: a, b\r\n\r\n'],
    ['a host with a path', 'GET / HTTP/1.1\r\nhost: a/b\r\n\r\n'],
    ['the absolute form', `GET http://a/ HTTP/1.1\r\n${host}`],
    ['the asterisk form', `OPTIONS * HTTP/1.1\r\n${host}`],
    ['a fragment', `GET /a#b HTTP/1.1\r\n${host}`],
    ['a character beyond ASCII in the target', `GET /\xe9 HTTP/1.1\r\n${host}`],
    ['CONNECT', `CONNECT a:1 HTTP/1.1\r\n${host}`],
    ['an upgrade', `GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n${host}`],
    ['another expectation', `POST / HTTP/1.1\r\nexpect: 200-ok\r\n${host}`],
  ])('%s', (_title, head) => {
    expect(read(head)).toBeTypeOf('string')
  })
})
