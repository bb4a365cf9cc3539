import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { answer, DoorHouse, RawClient, reply, request, sized } from './door.test.fixture.js'
import { breakOff } from './break-off.js'

let house: DoorHouse

afterEach(() => house.close())

/** Opens a house that answers with the client's address. */
async function opened(policy: ConstructorParameters<typeof DoorHouse>[0], host?: string): Promise<void> {
  house = new DoorHouse(policy, { headMs: 5_000 })
  house.serve = (exchange) => answer(exchange, exchange.peer.address)
  await house.open(host)
}

/** An address of this machine that is not loopback; most have one. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((net) => net !== undefined && net.family === 'IPv4' && !net.internal)?.address

describe('how many connections are taken', () => {
  const full = /^HTTP\/1\.1 503 .*"LB_TOO_MANY_CONNECTIONS"/s

  it('is limited in all; whoever is too many is told, and places come free', async () => {
    await opened({ maxConnections: 2 })
    const first = await house.sends(request('/'))
    await first.until(/127\.0\.0\.1$/)
    const second = await house.sends(request('/'))
    await second.until(/127\.0\.0\.1$/)
    const third = await house.client()
    await third.until(full)
    await third.wait(() => third.ended)
    first.socket.end()
    await expect.poll(() => house.door.size).toBe(1)
    const fourth = await house.sends(request('/'))
    await fourth.until(/127\.0\.0\.1$/)
  })

  it('follows a changed policy', async () => {
    await opened({ maxConnections: 1 })
    const first = await house.sends(request('/'))
    await first.until(/127\.0\.0\.1$/)
    house.door.use({ maxConnections: 2, connectionsPerAddress: 100, trustedProxies: [] })
    const second = await house.sends(request('/'))
    await second.until(/127\.0\.0\.1$/)
    house.door.use({ maxConnections: 1, connectionsPerAddress: 100, trustedProxies: [] })
    const third = await house.client()
    await third.until(full)
  })

  it('is not limited for loopback by its address', async () => {
    await opened({ connectionsPerAddress: 1 })
    for (let index = 0; index < 5; index += 1) await (await house.sends(request('/'))).until(/127\.0\.0\.1$/)
  })

  it.skipIf(outside === undefined)('is limited by address, for others than trusted proxies', async () => {
    const host = outside ?? ''
    const asks = async (): Promise<RawClient> => {
      const client = await house.client(host)
      client.send(request('/'))
      await client.until(/\d$/)
      return client
    }
    await opened({ connectionsPerAddress: 2 }, host)
    const first = await asks()
    await asks()
    await (await house.client(host)).until(full)
    first.socket.end()
    await expect.poll(() => house.door.size).toBe(1)
    await asks()
    await (await house.client(host)).until(full)
    house.door.use({ maxConnections: 100, connectionsPerAddress: 2, trustedProxies: [host] })
    for (let index = 0; index < 5; index += 1) await asks()
  })
})

describe('who the client is', () => {
  const forwarded = 'forwarded: for=203.0.113.9\r\n'

  it.each([
    ['nobody is trusted', [], forwarded, '127.0.0.1'],
    ['a trusted proxy says so', ['127.0.0.1'], forwarded, '203.0.113.9'],
    ['a trusted proxy says so in the old way', ['127.0.0.0/8'], 'x-forwarded-for: 198.51.100.1, 203.0.113.9\r\n', '203.0.113.9'],
    ['another proxy is trusted', ['10.0.0.0/8'], forwarded, '127.0.0.1'],
    ['a trusted proxy says nothing', ['127.0.0.1'], '', '127.0.0.1'],
  ])('when %s', async (_title, trustedProxies, headers, expected) => {
    await opened({ trustedProxies })
    const client = await house.sends(request('/', headers))
    await client.until(/\r\n\r\n.+$/)
    expect(client.said).toBe(reply(expected))
  })
})

describe('the preface of a trusted proxy', () => {
  const v1 = 'PROXY TCP4 203.0.113.9 10.0.0.1 8080 80\r\n'
  const v2 = Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    Buffer.from([0x21, 0x11, 0, 12, 203, 0, 113, 9, 10, 0, 0, 1, 0x1f, 0x90, 0, 80]),
  ]).toString('latin1')

  it.each([
    ['version 1', v1, '203.0.113.9'],
    ['version 2', v2, '203.0.113.9'],
    ['UNKNOWN', 'PROXY UNKNOWN\r\n', '127.0.0.1'],
    ['none', '', '127.0.0.1'],
  ])('names the client for all requests of the connection, at every cut: %s', async (_title, preface, expected) => {
    await opened({ trustedProxies: ['127.0.0.1'] })
    const text = preface + request('/')
    const clients = await Promise.all(Array.from({ length: preface.length + 5 }, (_, cut) => house.sends(text.slice(0, cut))))
    await expect.poll(() => house.door.size).toBe(clients.length)
    for (const [cut, client] of clients.entries()) client.send(text.slice(cut) + request('/'))
    for (const client of clients) {
      await client.wait(() => client.said.length >= reply(expected).length * 2)
      expect(client.said).toBe(reply(expected).repeat(2))
    }
  })

  it('is believed less than what the proxies behind it are told', async () => {
    await opened({ trustedProxies: ['127.0.0.1', '10.9.9.9'] })
    const client = await house.sends(`PROXY TCP4 10.9.9.9 10.0.0.1 1 2\r\n${request('/', 'x-forwarded-for: 203.0.113.7\r\n')}`)
    await client.until(/203\.0\.113\.7$/)
    const other = await house.sends(`${v1}${request('/', 'x-forwarded-for: 203.0.113.7\r\n')}`)
    await other.until(/203\.0\.113\.9$/)
  })

  it.each([
    ['a bad one', 'PROXY TCP4 here there 1 2\r\n'],
    ['one without an end', `PROXY TCP4 ${'1'.repeat(120)}`],
    ['a second one', v1 + v1],
    ['one between two requests', `${request('/')}${v1}`],
  ])('is refused when it is %s', async (_title, sent) => {
    await opened({ trustedProxies: ['127.0.0.1'] })
    const client = await house.sends(sent + request('/behind'))
    await client.wait(() => client.ended)
    expect(client.text).toMatch(/HTTP\/1\.1 400 .*LB_BAD_REQUEST"/s)
    expect(house.exchanges.map(({ head }) => head.path)).not.toContain('/behind')
  })

  it.each([
    ['version 1', v1],
    ['version 2', v2],
  ])('is refused from anyone else: %s', async (_title, preface) => {
    await opened({ trustedProxies: ['10.0.0.1'] })
    const client = await house.sends(preface + request('/behind'))
    await client.wait(() => client.ended)
    expect(client.text).toMatch(/^HTTP\/1\.1 400 /)
    expect(house.exchanges).toEqual([])
  })

  it('that does not come is waited for as long as a head', async () => {
    await opened({ trustedProxies: ['127.0.0.1'] })
    const client = await house.sends('PROXY TCP4 203.')
    await expect.poll(() => house.door.size).toBe(1)
    house.clock.advance(5_200)
    await client.wait(() => client.ended)
    expect(client.text).toMatch(/^HTTP\/1\.1 408 /)
  })
})

describe('TLS', () => {
  const files = mkdtempSync(join(tmpdir(), 'lb-door-'))
  const pem = (name: string): string => readFileSync(join(files, name), 'utf8')
  const certificate = ((): { cert: string; key: string } | undefined => {
    const names = ['-subj', '/CN=localhost', '-keyout', join(files, 'key'), '-out', join(files, 'cert')]
    try {
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', ...names],
        { stdio: 'ignore' },
      )
      return { cert: pem('cert'), key: pem('key') }
    } catch {
      return undefined
    } finally {
      rmSync(files, { recursive: true })
    }
  })()

  async function secure(): Promise<RawClient> {
    const socket = connectTls({
      host: '127.0.0.1',
      port: house.port,
      ca: certificate?.cert ?? '',
      servername: 'localhost',
      ALPNProtocols: ['http/1.1'],
    })
    const client = new RawClient(socket)
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    expect([socket.authorized, socket.alpnProtocol]).toEqual([true, 'http/1.1'])
    return client
  }

  it.skipIf(certificate === undefined)('carries the same requests', async () => {
    house = await new DoorHouse().open('127.0.0.1', certificate)
    house.serve = async (exchange) => answer(exchange, Buffer.from(await exchange.readBody(1_000_000)).toString())
    const client = await secure()
    const body = 'x'.repeat(200_000)
    client.send(sized('/', body) + sized('/', 'again', 'connection: close\r\n'))
    await client.end()
    expect(client.said).toBe(reply(body) + reply('again', 'connection: close\r\n'))
    await expect.poll(() => house.door.size).toBe(0)
  })

  it.skipIf(certificate === undefined)('lives with clients that speak none, and breaks off without a reset', async () => {
    house = await new DoorHouse().open('127.0.0.1', certificate)
    const plain = await house.sends(request('/'))
    await plain.wait(() => plain.ended || plain.closed)
    expect(house.exchanges).toEqual([])
    const client = await secure()
    breakOff(client.socket)
    await client.end()
    expect(client.error).toBeUndefined()
  })
})

describe('a unix socket', () => {
  it('is a door, too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lb-door-'))
    house = new DoorHouse({ trustedProxies: ['unix'], connectionsPerAddress: 1 })
    house.serve = (exchange) => answer(exchange, exchange.peer.address)
    await house.door.listen({ path: join(folder, 'lb.sock') })
    for (const [sent, said] of [
      [request('/', 'connection: close\r\n'), 'unix'],
      [request('/', 'connection: close\r\nx-forwarded-for: 203.0.113.9\r\n'), '203.0.113.9'],
    ] as const) {
      const client = new RawClient(connect(join(folder, 'lb.sock')))
      client.send(sent)
      await client.end()
      expect(client.said).toBe(reply(said, 'connection: close\r\n'))
    }
    rmSync(folder, { recursive: true })
  })
})
