import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DnsServer } from './dns-server.test.fixture.js'
import { serversOf } from './watch-srv.js'
import { Watched } from './watched.test.fixture.js'

let server: DnsServer
let watched: Watched
let stop: (() => void) | undefined

beforeEach(async () => {
  server = await new DnsServer().open()
})

afterEach(() => {
  stop?.()
  stop = undefined
  server.close()
})

function watch(): void {
  watched = new Watched({ kind: 'srv', from: 'srv:_m._tcp.test', name: '_m._tcp.test', resolver: server.address, everyMs: 20 })
  stop = () => watched.discovery.stop()
}

const record = (target: string, port: number, weight: number, priority = 10) => ({ target, port, weight, priority })

describe('SRV records as members', () => {
  it('have ports of their own, weights around one, and a rank for each priority', async () => {
    server.names = { '_m._tcp.test': { srv: [record('a.test', 8000, 30), record('b.test', 8001, 10), record('c.test', 8002, 5, 20)] } }
    watch()
    await expect
      .poll(() => watched.members)
      .toEqual([
        { name: 'a-test-8000', url: 'http://a.test:8000', weight: 1.5, rank: 0 },
        { name: 'b-test-8001', url: 'http://b.test:8001', weight: 0.5, rank: 0 },
        { name: 'c-test-8002', url: 'http://c.test:8002', weight: 1, rank: 1 },
      ])
  })

  it('stay when the server fails, and go when it says again and again that there are none', async () => {
    server.names = { '_m._tcp.test': { srv: [record('a.test', 8000, 0)] } }
    watch()
    await expect.poll(() => watched.urls).toHaveLength(1)
    server.names = { '_m._tcp.test': { code: 2 } }
    await expect.poll(() => watched.report.error).toContain('SERVFAIL')
    expect(watched.urls).toHaveLength(1)
    server.names = { '_m._tcp.test': { srv: [record('.', 0, 0)] } }
    await expect.poll(() => watched.urls).toEqual([])
  })

  it('of a bad port are left out, and more than 1,024 are cut', async () => {
    const many = Array.from({ length: 24 }, (_, index) => record(`h${index}.test`, 8000, 1))
    server.names = { '_m._tcp.test': { srv: [record('z.test', 0, 1), ...many] } }
    watch()
    await expect.poll(() => watched.urls).toHaveLength(24)
    expect(watched.report.notes).toEqual([expect.stringContaining('left out http://z.test:0: no such port')])
  })
})

describe('weights of SRV records', () => {
  it('are finite, over zero, and one on the mean, whatever is said', () => {
    const weight = fc.integer({ min: 0, max: 65_535 })
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.constant('a.test'), port: weight, priority: weight, weight }), { maxLength: 30 }),
        (records) => {
          const servers = serversOf(records)
          for (const server of servers) expect(server.weight).toBeGreaterThan(0)
          for (const rank of new Set(servers.map((server) => server.rank))) {
            const alike = servers.filter((server) => server.rank === rank)
            const mean = alike.reduce((total, server) => total + (server.weight ?? 0), 0) / alike.length
            expect(mean).toBeGreaterThanOrEqual(0.999)
            expect(mean).toBeLessThan(1.02)
          }
        },
      ),
    )
  })
})
