import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readProxyPreface } from './proxy-preface.js'

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** A preface of version 2; `kind` is byte 13, `head` byte 12. */
function version2(kind: number, payload: Uint8Array, head = 0x21): Buffer {
  const fixed = Buffer.from([head, kind, payload.byteLength >> 8, payload.byteLength & 255])
  return Buffer.concat([SIGNATURE, fixed, payload])
}

const v4 = Buffer.from([1, 2, 3, 4, 10, 0, 0, 1, 0x1f, 0x90, 0, 80])
const v6 = Buffer.concat([Buffer.from('20010db8000000000000000000000001', 'hex'), Buffer.alloc(16), Buffer.from([1, 1, 1, 1])])
const mapped = Buffer.concat([Buffer.from('00000000000000000000ffff01020304', 'hex'), Buffer.alloc(20)])
const read = (text: string) => readProxyPreface(Buffer.from(text, 'latin1'))

describe('version 1', () => {
  it.each([
    ['PROXY TCP4 1.2.3.4 10.0.0.1 8080 80\r\n', '1.2.3.4'],
    ['PROXY TCP6 2001:DB8:0:0::1 ::1 65535 0\r\n', '2001:db8::1'],
    ['PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n', '1.2.3.4'],
    ['PROXY UNKNOWN\r\n', undefined],
    [`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`, undefined],
  ])('%j names %s and ends before the request', (line, source) => {
    expect(read(`${line}GET / HTTP/1.1\r\n`)).toEqual({ kind: 'preface', length: line.length, source })
  })

  it.each([
    'PROXY TCP4 1.2.3.4 10.0.0.1 8080\r\n',
    'PROXY TCP4 1.2.3.4 10.0.0.1 8080 80 1\r\n',
    'PROXY TCP4  1.2.3.4 10.0.0.1 8080 80\r\n',
    'PROXY TCP4 1.2.3.4 10.0.0.1 08080 80\r\n',
    'PROXY TCP4 1.2.3.4 10.0.0.1 65536 80\r\n',
    'PROXY TCP4 1.2.3.4 10.0.0.1 -1 80\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY constructor 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 10.0.0.1 8080 80\n\r\n',
    'PROXY \r\n',
    `PROXY UNKNOWN ${'f'.repeat(92)}\r\n`,
    `PROXY TCP4 ${'1'.repeat(200)}`,
  ])('%j is refused', (line) => {
    expect(read(line)).toMatchObject({ kind: 'bad' })
  })
})

describe('version 2', () => {
  it.each([
    ['IPv4', version2(0x11, v4), '1.2.3.4'],
    ['IPv4 with extensions', version2(0x11, Buffer.concat([v4, Buffer.from([4, 0, 3, 1, 2, 3])])), '1.2.3.4'],
    ['IPv4 over datagrams', version2(0x12, v4), '1.2.3.4'],
    ['IPv6', version2(0x21, v6), '2001:db8::1'],
    ['IPv4 as IPv6', version2(0x21, mapped), '1.2.3.4'],
    ['a unix socket', version2(0x31, Buffer.alloc(216)), undefined],
    ['nothing said', version2(0x00, Buffer.alloc(0)), undefined],
    ['nothing said, with extensions', version2(0x00, Buffer.alloc(7)), undefined],
    ['the proxy itself', version2(0x00, Buffer.alloc(0), 0x20), undefined],
    ['the proxy itself, with addresses', version2(0x11, v4, 0x20), undefined],
    ['the longest', version2(0x11, Buffer.concat([v4, Buffer.alloc(4_080 - 12)])), '1.2.3.4'],
  ])('%s', (_title, preface, source) => {
    expect(readProxyPreface(Buffer.concat([preface, Buffer.from('GET ')]))).toEqual({ kind: 'preface', length: preface.byteLength, source })
  })

  it.each([
    ['another version', version2(0x11, v4, 0x11)],
    ['another command', version2(0x11, v4, 0x22)],
    ['another family', version2(0x41, v4)],
    ['another transport', version2(0x13, v4)],
    ['too few bytes for IPv4', version2(0x11, v4.subarray(0, 11))],
    ['too few bytes for IPv6', version2(0x21, v4)],
    ['too few bytes for a unix socket', version2(0x31, v6)],
    ['more than 4 KiB', version2(0x11, Buffer.alloc(4_081))],
  ])('%s is refused', (_title, preface) => {
    expect(readProxyPreface(preface)).toMatchObject({ kind: 'bad' })
  })
})

describe('what is no preface', () => {
  it.each(['GET / HTTP/1.1\r\n', 'P', '\r\nGET / HTTP/1.1', 'PROX /', 'proxy TCP4', '\u0016\u0003\u0001'])('%j is left alone', (text) => {
    expect(read(text).kind).toBe(text === 'P' ? 'more' : 'none')
  })
})

describe('a preface that comes in pieces', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  const line = fc
    .tuple(fc.constantFrom('TCP4', 'TCP6', 'UNKNOWN', ''), address, address, fc.nat(70_000), fc.constantFrom('\r\n', '\n', ' \r\n'))
    .map(([family, source, target, port, end]) => Buffer.from(`PROXY ${family} ${source} ${target} ${port} 80${end}`))
  const binary = fc
    .tuple(fc.nat(255), fc.uint8Array({ maxLength: 240 }), fc.constantFrom(0x20, 0x21, 0x21, 0x31))
    .map(([kind, payload, head]) => version2(kind, payload, head))
  const any = fc.uint8Array({ maxLength: 130 }).map((bytes) => Buffer.from(bytes))

  it('is read the same at every cut, or more is asked for', () => {
    fc.assert(
      fc.property(fc.oneof(line, binary, any), any, (preface, after) => {
        const whole = Buffer.concat([preface, after])
        const verdict = readProxyPreface(whole)
        for (let cut = 0; cut < whole.byteLength; cut += 1) {
          const early = readProxyPreface(whole.subarray(0, cut))
          if (early.kind !== 'more') expect(early).toEqual(verdict)
        }
      }),
    )
  })
})
