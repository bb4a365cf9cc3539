import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainAddress } from './plain-address.js'
import { createTrustedProxies } from './trusted-proxies.js'

const proxies = createTrustedProxies(['10.0.0.0/8', '192.168.1.1', 'fd00::/8', '::1', '::ffff:172.16.0.0/108'])
const from = (headers: Record<string, string>, peer = '10.0.0.1') => proxies.clientAddress(peer, headers)

describe('trust', () => {
  it.each([
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['::ffff:10.0.0.1', true],
    ['::ffff:a00:1', true],
    ['::ffff:11.0.0.1', false],
    ['192.168.1.1', true],
    ['192.168.1.2', false],
    ['fd12::9', true],
    ['fe80::1%eth0', false],
    ['0:0:0:0:0:0:0:1', true],
    ['172.31.9.9', true],
    ['172.32.0.1', false],
    ['unix', false],
    ['', false],
    ['proxy.local', false],
  ])('of %s is %s, also when asked again', (address, trusted) => {
    expect(proxies.trusts(address)).toBe(trusted)
    expect(proxies.trusts(address)).toBe(trusted)
  })

  it('of unix sockets is given by its word, and of nobody by an empty list', () => {
    expect(createTrustedProxies(['unix']).trusts('unix')).toBe(true)
    expect(createTrustedProxies(['unix']).clientAddress('unix', { 'x-forwarded-for': '1.2.3.4' })).toBe('1.2.3.4')
    const nobody = createTrustedProxies([])
    expect(nobody.trusts('127.0.0.1')).toBe(false)
    expect(nobody.clientAddress('10.0.0.1', { 'x-forwarded-for': '1.2.3.4' })).toBe('10.0.0.1')
    expect(nobody.clientAddress('::ffff:1.2.3.4', {})).toBe('1.2.3.4')
  })

  it('is not mixed up after many addresses', () => {
    for (let n = 0; n < 3000; n += 1) proxies.trusts(`11.0.${n >> 8}.${n & 255}`)
    expect(proxies.trusts('10.0.0.9')).toBe(true)
    expect(proxies.trusts('11.0.0.9')).toBe(false)
  })
})

describe('the client behind X-Forwarded-For', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['6.6.6.6, 1.2.3.4, 10.0.0.7', '1.2.3.4'],
    ['6.6.6.6,1.2.3.4,::1 ,fd00::2', '1.2.3.4'],
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:DB8:0::1]:5678', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['10.0.0.9, 10.0.0.8', '10.0.0.9'],
    ['1.2.3.4, unknown, 10.0.0.7', '10.0.0.7'],
    ['1.2.3.4, <script>', '10.0.0.1'],
    ['1.2.3.4, 5.6.7.8.9', '10.0.0.1'],
    ['1.2.3.4, unix', '10.0.0.1'],
    [', ,', '10.0.0.1'],
    ['', '10.0.0.1'],
  ])('%s is %s', (value, client) => {
    expect(from({ 'x-forwarded-for': value })).toBe(client)
  })

  it('is not asked for from a peer that is not trusted', () => {
    for (const name of ['x-forwarded-for', 'forwarded'])
      expect(from({ [name]: name === 'forwarded' ? 'for=1.2.3.4' : '1.2.3.4' }, '::ffff:8.8.8.8')).toBe('8.8.8.8')
  })

  it('is not looked for beyond 32 hops', () => {
    const hops = (count: number) => ['1.2.3.4', ...Array.from({ length: count }, (_, n) => `10.1.0.${n}`)].join(', ')
    expect(from({ 'x-forwarded-for': hops(31) })).toBe('1.2.3.4')
    expect(from({ 'x-forwarded-for': hops(32) })).toBe('10.1.0.0')
  })
})

describe('the client behind Forwarded', () => {
  it.each([
    ['for=1.2.3.4', '1.2.3.4'],
    ['For="1.2.3.4:80";proto=https;by=10.0.0.1', '1.2.3.4'],
    ['for=6.6.6.6, proto=http;for="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['for=1.2.3.4, for="10.0.0.\\7"', '1.2.3.4'],
    ['for="[2001:db8::1]:_port"', '2001:db8::1'],
    ['for=1.2.3.4;by=_hidden, for=unknown, for=10.0.0.7', '10.0.0.7'],
    ['for=1.2.3.4, for=_gazonk', '10.0.0.1'],
    ['for=1.2.3.4, proto=https', '10.0.0.1'],
    ['for="1.2.3.4, 5.6.7.8"', '10.0.0.1'],
    ['for="[1.2.3.4]"', '10.0.0.1'],
  ])('%s is %s', (value, client) => {
    expect(from({ forwarded: value, 'x-forwarded-for': '9.9.9.9' })).toBe(client)
  })

  it.each(['', 'for', 'for=', 'for=1.2.3.4 for=5.6.7.8', 'for="1.2.3.4', 'for=[::2]', 'for=1.2.3.4;for=5.6.7.8', '=1', ';'])(
    'gives way to X-Forwarded-For where it is not Forwarded: %s',
    (value) => {
      expect(from({ forwarded: value, 'x-forwarded-for': '9.9.9.9' })).toBe('9.9.9.9')
    },
  )
})

describe('whatever the headers hold', () => {
  it('an address comes out, and quickly', () => {
    const words = fc.constantFrom('for=', '"', '\\', ',', ';', ' ', '10.0.0.1', '1.2.3.4', '[::1]', ':80', 'unknown', '_x', '=', 'a')
    const value = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 40 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(value, value, (forwarded, listed) => {
        expect(plainAddress(from({ forwarded, 'x-forwarded-for': listed }))).toBeDefined()
      }),
    )
    const started = performance.now()
    for (const bad of ['for="'.padEnd(16_000, '\\'), ' '.repeat(16_000), 'a=b;'.repeat(4_000), '"'.repeat(16_000)])
      from({ forwarded: bad, 'x-forwarded-for': bad })
    expect(performance.now() - started).toBeLessThan(500)
  })
})
