import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DnsSource } from '../topology/index.js'
import { DnsServer } from './dns-server.test.fixture.js'
import { Watched } from './watched.test.fixture.js'

let server: DnsServer
const watches: Watched[] = []

beforeEach(async () => {
  server = await new DnsServer().open()
})

afterEach(() => {
  for (const { discovery } of watches.splice(0)) discovery.stop()
  server.close()
})

function watch(more: Partial<DnsSource> = {}): Watched {
  const watched = new Watched({
    kind: 'dns',
    from: 'dns:m.test:8000',
    host: 'm.test',
    port: 8000,
    resolver: server.address,
    everyMs: 20,
    ...more,
  })
  watches.push(watched)
  return watched
}

describe('a name whose addresses are members', () => {
  it('brings A and AAAA, in one order whatever the order of the answer', async () => {
    server.names = { 'm.test': { a: ['10.0.0.6', '10.0.0.5'], aaaa: ['fd00::5'] } }
    const watched = watch()
    await expect.poll(() => watched.urls).toEqual(['http://10.0.0.5:8000', 'http://10.0.0.6:8000', 'http://[fd00::5]:8000'])
    expect(watched.members.map(({ name }) => name)).toEqual(['10-0-0-5-8000', '10-0-0-6-8000', 'fd00-5-8000'])
    server.names = { 'm.test': { a: ['10.0.0.5', '10.0.0.6'], aaaa: ['fd00::5'] } }
    const asked = server.queries.length
    await expect.poll(() => server.queries.length).toBeGreaterThan(asked + 3)
    expect(watched.told).toHaveLength(1)
  })

  it('follows the answers', async () => {
    server.names = { 'm.test': { a: ['10.0.0.5'] } }
    const watched = watch()
    await expect.poll(() => watched.urls).toEqual(['http://10.0.0.5:8000'])
    server.names = { 'm.test': { a: ['10.0.0.6'] } }
    await expect.poll(() => watched.urls).toEqual(['http://10.0.0.6:8000'])
    expect(watched.report).toMatchObject({ members: 1, error: undefined, from: 'dns:m.test:8000' })
  })

  it('asks again when an answer may be kept no longer, where no interval is set', async () => {
    server.names = { 'm.test': { a: ['10.0.0.5'], ttl: 0 } }
    const watched = new Watched({ kind: 'dns', from: '', host: 'm.test', port: 8000, resolver: server.address })
    watches.push(watched)
    await expect.poll(() => server.queries.filter((query) => query === '1 m.test').length, { timeout: 5_000 }).toBeGreaterThan(1)
    expect(watched.urls).toEqual(['http://10.0.0.5:8000'])
  })

  it.each([
    ['fails', { code: 2 }, /SERVFAIL/],
    ['refuses', { code: 5 }, /REFUSED/],
  ])('keeps what it said last while the server %s, and says so', async (_, script, words) => {
    server.names = { 'm.test': { a: ['10.0.0.5'] } }
    const watched = watch()
    await expect.poll(() => watched.urls).toHaveLength(1)
    server.names = { 'm.test': script }
    await expect.poll(() => watched.report.error).toMatch(words)
    const asked = server.queries.length
    await expect.poll(() => server.queries.length).toBeGreaterThan(asked + 20)
    expect(watched.urls).toEqual(['http://10.0.0.5:8000'])
    expect(watched.report.failingSinceMs).toBeGreaterThan(0)
    server.names = { 'm.test': { a: ['10.0.0.5'] } }
    await expect.poll(() => watched.report.error).toBeUndefined()
  })

  it('believes an empty answer only when it repeats', async () => {
    server.names = { 'm.test': { a: ['10.0.0.5'] } }
    const watched = watch({ everyMs: 150 })
    await expect.poll(() => watched.urls).toHaveLength(1)
    server.names = {}
    await expect.poll(() => watched.report.error).toContain('believed after 3 such answers in a row')
    expect(watched.urls).toHaveLength(1)
    await expect.poll(() => watched.urls, { timeout: 5_000 }).toEqual([])
    expect(watched.report.error).toBeUndefined()
  })

  it('does not take the word of one family for the other', async () => {
    server.names = { 'm.test': { a: ['10.0.0.5'], aaaa: ['fd00::5'] } }
    const watched = watch()
    await expect.poll(() => watched.urls).toHaveLength(2)
    server.names = { 'm.test': { a: ['10.0.0.6'], aaaa: ['fd00::5'], code: { 28: 2 } } }
    await expect.poll(() => watched.urls).toEqual(['http://10.0.0.6:8000', 'http://[fd00::5]:8000'])
    expect(watched.report.notes).toEqual([expect.stringContaining('half of the answer is old')])
    server.names = { 'm.test': { a: [], aaaa: ['fd00::5'], code: { 28: 2 } } }
    await expect.poll(() => watched.report.error).toContain('SERVFAIL')
    expect(watched.urls).toHaveLength(2)
  })

  it('leaves out addresses at which nobody serves, and says why', async () => {
    server.names = {
      'm.test': { a: ['169.254.169.254', '0.0.0.0', '224.0.0.1', '10.0.0.5'], aaaa: ['fe80::1', '::ffff:a9fe:a9fe', 'fd00:ec2::254'] },
    }
    const watched = watch()
    await expect.poll(() => watched.urls).toEqual(['http://10.0.0.5:8000'])
    expect(watched.report.notes.join('\n')).toContain('left out http://169.254.169.254:8000: nobody serves at link-local')
    expect(watched.report.notes.length).toBeLessThanOrEqual(5)
  })

  it('says that no server answers at the address of its resolver', async () => {
    const watched = watch({ resolver: '127.0.0.1:1' })
    await expect.poll(() => watched.report.error, { timeout: 9_000 }).toMatch(/DNS server/)
    expect(watched.report).toMatchObject({ members: 0, atMs: undefined })
  }, 10_000)

  it('finds names of the system where no resolver is set', async () => {
    const watched = new Watched({ kind: 'dns', from: 'dns:localhost:8000', host: 'localhost', port: 8000, everyMs: 50 })
    watches.push(watched)
    await expect.poll(() => watched.urls, { timeout: 20_000 }).toContain('http://127.0.0.1:8000')
  }, 25_000)
})
