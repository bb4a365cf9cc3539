import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../base/index.js'
import { answer, DoorHouse, echo, reply, request, sized } from './door.test.fixture.js'
import type { Exchange } from './exchange.js'

let house: DoorHouse

beforeEach(async () => {
  house = await new DoorHouse().open()
})

afterEach(() => house.close())

describe('a connection', () => {
  it('serves one request after the other', async () => {
    const client = await house.client()
    for (const path of ['/a', '/b', '/c']) {
      client.text = ''
      client.send(request(path))
      await client.until(new RegExp(`${path}$`))
      expect(client.said).toBe(reply(path))
    }
    expect(house.exchanges).toHaveLength(3)
    expect(house.door.size).toBe(1)
  })

  it('reads a request that comes byte by byte', async () => {
    house.serve = echo
    const client = await house.client()
    for (const byte of sized('/v1/x?q=1', 'hello')) {
      client.send(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await client.until(/hello$/)
    expect(house.exchanges[0]?.head).toMatchObject({ method: 'POST', path: '/v1/x', query: 'q=1', headers: { host: 'a' } })
  })

  it('takes requests that are cut anywhere', async () => {
    house.serve = echo
    const text = sized('/x', 'hello', 'x-a: b\r\n')
    const clients = await Promise.all(Array.from(text, (_, cut) => house.sends(text.slice(0, cut))))
    // A turn for the door, so that the cut is seen.
    await expect.poll(() => house.exchanges.length).toBeGreaterThanOrEqual(5)
    for (const [cut, client] of clients.entries()) client.send(text.slice(cut))
    for (const client of clients) {
      await client.until(/hello$/)
      expect(client.said).toBe(reply('hello'))
    }
  })

  it('is kept apart from all others, however their bytes are mixed', async () => {
    const random = seededRandom(7)
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    // Some bodies are asked for at once, some later: until then the bytes wait.
    house.serve = async (exchange) => {
      if (exchange.head.path.length % 2 === 0) await turn()
      await echo(exchange)
    }
    const texts = Array.from({ length: 40 }, (_, index) =>
      Array.from({ length: 4 }, (_, part) => sized(`/${'p'.repeat(part + 1)}`, `${index}-${part}-${'abcdefgh'.repeat(index * 20)};`)).join(
        '',
      ),
    )
    const clients = await Promise.all(texts.map(() => house.client()))
    const sent = texts.map(() => 0)
    while (sent.some((at, index) => at < (texts[index]?.length ?? 0))) {
      for (const [index, client] of clients.entries()) {
        const at = sent[index] ?? 0
        sent[index] = at + 1 + Math.floor(random.next() * 3_000)
        client.send(texts[index]?.slice(at, sent[index]) ?? '')
      }
      await turn()
    }
    for (const [index, client] of clients.entries()) {
      const expected = Array.from({ length: 4 }, (_, part) => reply(`${index}-${part}-${'abcdefgh'.repeat(index * 20)};`)).join('')
      await client.wait(() => client.said.length >= expected.length)
      expect(client.said).toBe(expected)
    }
  })

  it('says when it answered', async () => {
    const client = await house.sends(request('/'))
    await client.until(/\r\ndate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/)
  })

  it('skips an empty line before a request, and only there', async () => {
    const client = await house.sends(`\r\n${request('/a')}\r\n${request('/b')}`)
    await client.until(/\/b$/)
    expect(client.said).toBe(reply('/a') + reply('/b'))
  })
})

describe('pipelined requests', () => {
  it('are answered in their order, whatever the order in which answers are ready', async () => {
    house.serve = echo
    const client = await house.sends(Array.from({ length: 50 }, (_, index) => sized('/', `body-${index}.`)).join(''))
    await client.until(/body-49\.$/)
    expect(client.said).toBe(Array.from({ length: 50 }, (_, index) => reply(`body-${index}.`)).join(''))
  })

  it('wait while one is served', async () => {
    house.serve = () => undefined
    const client = await house.sends(request('/a') + request('/b'))
    await expect.poll(() => house.exchanges).toHaveLength(1)
    expect(client.text).toBe('')
    answer(house.exchanges[0] as Exchange, 'one')
    await expect.poll(() => house.exchanges).toHaveLength(2)
    answer(house.exchanges[1] as Exchange, 'two')
    await client.until(/two$/)
    expect(client.said).toBe(reply('one') + reply('two'))
  })

  it('wait in the client when they are more than 64 KiB', async () => {
    house.serve = () => undefined
    const client = await house.sends(request('/first'))
    await expect.poll(() => house.exchanges).toHaveLength(1)
    const filler = sized('/', 'x'.repeat(10_000))
    const count = 3_000
    for (let index = 0; index < count; index += 1) client.send(filler)
    // What the door and both kernels hold is far less than what was sent: the client is still waiting.
    let before = -1
    await expect.poll(() => before === (before = client.socket.bytesWritten - client.socket.writableLength), { interval: 100 }).toBe(true)
    expect(client.socket.writableLength).toBeGreaterThan(10_000_000)
    house.serve = (exchange) => void echo(exchange)
    answer(house.exchanges[0] as Exchange, 'one')
    await client.wait(() => client.text.length > count * 10_000)
    await expect.poll(() => house.exchanges).toHaveLength(count + 1)
  })

  it('after a request that closes are not read', async () => {
    const client = await house.sends(request('/a', 'connection: close\r\n') + request('/b'))
    await client.wait(() => client.ended)
    expect(client.said).toBe(reply('/a', 'connection: close\r\n'))
    expect(house.exchanges).toHaveLength(1)
  })
})

describe('an answer', () => {
  it.each([
    ['200 with a length', 'POST', 200, { 'content-length': '4' }, 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody'],
    ['200 without one', 'POST', 200, {}, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n'],
    ['HEAD', 'HEAD', 200, { 'content-length': '4' }, 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n'],
    ['HEAD without a length', 'HEAD', 200, {}, 'HTTP/1.1 200 OK\r\n\r\n'],
    ['204', 'POST', 204, {}, 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', 'POST', 304, { etag: '"a"' }, 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n'],
    ['a status without a name', 'POST', 299, { 'content-length': '4' }, 'HTTP/1.1 299 \r\ncontent-length: 4\r\n\r\nbody'],
  ])('%s', async (_title, method, status, headers, expected) => {
    house.serve = (exchange) => {
      exchange.respond({ status, headers })
      exchange.write(Buffer.from('bo'))
      exchange.end(Buffer.from('dy'))
    }
    const client = await house.sends(`${method} / HTTP/1.1\r\nhost: a\r\n\r\n${request('/next', 'connection: close\r\n')}`)
    await client.wait(() => client.ended)
    expect(client.said.startsWith(expected)).toBe(true)
    // The next answer stands right behind it: nothing is too much or missing.
    expect(client.said.slice(expected.length)).toMatch(/^HTTP\/1\.1 /)
  })

  it('that ends without a byte is whole, too', async () => {
    house.serve = (exchange) => {
      exchange.respond({ status: 200, headers: {} })
      exchange.end()
    }
    const client = await house.sends(request('/'))
    await client.until(/\r\n\r\n0\r\n\r\n$/)
  })

  it.each([
    ['', 'connection: close\r\n', true],
    ['connection: keep-alive\r\n', 'connection: keep-alive\r\n', false],
    ['connection: x, Keep-Alive\r\n', 'connection: keep-alive\r\n', false],
  ])('on HTTP/1.0 with %j and a length', async (sent, said, closes) => {
    const client = await house.sends(`GET /a HTTP/1.0\r\n${sent}\r\n`)
    await client.until(/\/a$/)
    expect(client.said).toBe(reply('/a', said))
    if (closes) await client.wait(() => client.ended)
    client.send(`GET /b HTTP/1.0\r\n${sent}\r\n`)
    if (!closes) await client.until(/\/b$/)
    expect(house.exchanges).toHaveLength(closes ? 1 : 2)
  })

  it('on HTTP/1.0 without a length ends with the connection, even where the client would keep it', async () => {
    house.serve = (exchange) => {
      exchange.respond({ status: 200, headers: { 'content-type': 'text/plain' } })
      expect(exchange.takesFrames).toBe(false)
      exchange.write(Buffer.from('some '))
      exchange.end(Buffer.from('text'))
    }
    const client = await house.sends('GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n')
    await client.wait(() => client.ended)
    expect(client.said).toBe('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nsome text')
  })

  it('passes whole frames as they are, between frames of its own', async () => {
    house.serve = (exchange) => {
      exchange.respond({ status: 200, headers: {} })
      expect(exchange.takesFrames).toBe(true)
      exchange.writeFrames(Buffer.from('0003\r\nabc\r\n'), false)
      exchange.write(Buffer.from('mine'))
      exchange.writeFrames(Buffer.from('A\r\n0123456789\r\n00\r\n\r\n'), true)
    }
    const client = await house.sends(request('/') + request('/', 'connection: close\r\n'))
    await client.wait(() => client.ended)
    const frames = '0003\r\nabc\r\n4\r\nmine\r\nA\r\n0123456789\r\n00\r\n\r\n'
    expect(client.said).toBe(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${frames}HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n${frames}`,
    )
  })

  it('of large pieces is the same bytes', async () => {
    const piece = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index & 255))
    house.serve = (exchange) => {
      exchange.respond({ status: 200, headers: { 'content-length': '600000' } })
      const given = Buffer.from(piece)
      exchange.write(given)
      // The bytes are the caller's again.
      given.fill(0)
      exchange.end(Buffer.from(piece))
    }
    const client = await house.sends(request('/'))
    await client.wait(() => client.text.length >= 600_000 + client.text.indexOf('\r\n\r\n') + 4)
    const body = Buffer.from(client.text.slice(client.text.indexOf('\r\n\r\n') + 4), 'latin1')
    expect(body.equals(Buffer.concat([piece, piece]))).toBe(true)
  })
})
