import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answer, DoorHouse, echo, reply, request, sized } from './door.test.fixture.js'
import type { Exchange } from './exchange.js'

let house: DoorHouse

beforeEach(async () => {
  house = await new DoorHouse({}, { headMs: 5_000, bodyWindowMs: 1_000, minBodyBytesPerSecond: 100, keepAliveMs: 20_000 }).open()
  house.serve = (exchange) => echo(exchange, 100_000)
})

afterEach(() => house.close())

const chunked = (body: string, more = ''): string => request('/', `transfer-encoding: chunked\r\n${more}`, body)
const closing = (text: string, status: string): string =>
  `HTTP/1.1 ${status}\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`

describe('a body in chunks', () => {
  it('is read at every cut', async () => {
    const text = chunked('5\r\nhello\r\n000A\r\n, wide wor\r\n2\r\nld\r\n0\r\n\r\n')
    const from = text.indexOf('\r\n\r\n')
    const cuts = Array.from({ length: text.length - from }, (_, index) => from + index)
    const clients = await Promise.all(cuts.map((cut) => house.sends(text.slice(0, cut))))
    await expect.poll(() => house.exchanges.length).toBeGreaterThan(10)
    for (const [index, client] of clients.entries()) client.send(text.slice(cuts[index]))
    for (const client of clients) {
      await client.until(/world$/)
      expect(client.said).toBe(reply('hello, wide world'))
    }
  })

  it('is followed by the next request', async () => {
    const client = await house.sends(`${chunked('1\r\na\r\n0\r\n\r\n')}${chunked('0\r\n\r\n')}${sized('/', 'last')}`)
    await client.until(/last$/)
    expect(client.said).toBe(reply('a') + reply('') + reply('last'))
  })

  it.each([
    ['an extension', '5;a=b\r\nhello\r\n0\r\n\r\n'],
    ['a trailer', '5\r\nhello\r\n0\r\nx: y\r\n\r\n'],
    ['a bare LF', '5\nhello\n0\n\n'],
    ['a bare LF at the end', '5\r\nhello\r\n0\r\n\n'],
    ['a space', '5 \r\nhello\r\n0\r\n\r\n'],
    ['a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['too much data', '5\r\nhello!\r\n0\r\n\r\n'],
    ['a huge size', `${'f'.repeat(13)}\r\nhello`],
  ])('with %s is refused, and the connection closed', async (_title, body) => {
    for (const cut of [0, 1, body.length - 1]) {
      const text = chunked(body) + request('/smuggled')
      const at = text.length - body.length - request('/smuggled').length + cut
      const client = await house.sends(text.slice(0, at))
      await expect.poll(() => house.door.size).toBe(1)
      client.send(text.slice(at))
      await client.wait(() => client.ended)
      expect(client.said).toBe(closing('LB_BAD_REQUEST', '400 Bad Request'))
      client.socket.end()
      await client.end()
      expect(client.error).toBeUndefined()
      await expect.poll(() => house.door.size).toBe(0)
    }
    expect(house.exchanges.map(({ head }) => head.path)).toEqual(['/', '/', '/'])
  })

  it('over the limit is refused in its middle', async () => {
    const client = await house.sends(
      chunked(`${(60_000).toString(16)}\r\n${'x'.repeat(60_000)}\r\n${(60_000).toString(16)}\r\n${'x'.repeat(50_000)}`),
    )
    await client.wait(() => client.ended)
    expect(client.said).toBe(closing('LB_BODY_TOO_LARGE', '413 Payload Too Large'))
  })
})

describe('a body with its length', () => {
  it('over the limit is refused before a byte of it is there', async () => {
    const client = await house.sends(request('/', 'content-length: 100001\r\nexpect: 100-continue\r\n'))
    await client.wait(() => client.ended)
    expect(client.said).toBe(closing('LB_BODY_TOO_LARGE', '413 Payload Too Large'))
  })

  it('over the limit that is sent all the same takes no answer away', async () => {
    const client = await house.sends(request('/', 'content-length: 900000\r\n'))
    client.send('x'.repeat(900_000))
    await client.wait(() => client.ended)
    expect(client.said).toBe(closing('LB_BODY_TOO_LARGE', '413 Payload Too Large'))
    client.socket.end()
    await client.end()
    expect(client.error).toBeUndefined()
  })

  it('may be as large as the limit', async () => {
    const client = await house.sends(sized('/', 'x'.repeat(100_000)))
    await client.wait(() => client.text.length > 100_000)
    expect(client.said).toBe(reply('x'.repeat(100_000)))
  })

  it('that nobody wanted is not taken for the next request', async () => {
    house.serve = (exchange) => answer(exchange, 'early', 401)
    const smuggled = request('/smuggled')
    const client = await house.sends(request('/', `content-length: ${smuggled.length}\r\n`))
    await client.until(/early$/)
    client.send(smuggled)
    await client.wait(() => client.ended)
    expect(client.said).toBe(closing('early', '401 Unauthorized'))
    client.socket.end()
    await client.end()
    expect(house.exchanges).toHaveLength(1)
  })

  it('that nobody wanted is read and thrown away for a moment, then the connection is cut', async () => {
    house.serve = (exchange) => answer(exchange, 'early', 401)
    const client = await house.sends(request('/', 'content-length: 99999999\r\n'))
    await client.wait(() => client.ended)
    client.send('x'.repeat(10_000))
    expect(house.door.size).toBe(1)
    // The moment begins when all is sent.
    await expect.poll(() => (house.clock.advance(500), house.door.size)).toBe(0)
  })

  it('that nobody wanted is thrown away up to a megabyte', async () => {
    house.serve = (exchange) => answer(exchange, 'early', 401)
    const client = await house.sends(request('/', 'content-length: 99999999\r\n'))
    await client.wait(() => client.ended)
    expect(client.text).toMatch(/early$/)
    client.send('x'.repeat(3_000_000))
    await expect.poll(() => house.door.size).toBe(0)
  })
})

describe('100 Continue', () => {
  const expecting = (length: number, version = '1.1'): string =>
    `POST / HTTP/${version}\r\nhost: a\r\nexpect: 100-Continue\r\ncontent-length: ${length}\r\n\r\n`
  const go = 'HTTP/1.1 100 Continue\r\n\r\n'

  it('is said when the body is wanted, not before', async () => {
    const wanted = Promise.withResolvers<void>()
    house.serve = async (exchange) => {
      await wanted.promise
      await echo(exchange)
    }
    const client = await house.sends(expecting(5))
    await expect.poll(() => house.exchanges).toHaveLength(1)
    expect(client.text).toBe('')
    wanted.resolve()
    await client.until(/\r\n\r\n$/)
    expect(client.text).toBe(go)
    client.send('hello')
    await client.until(/hello$/)
    expect(client.said).toBe(go + reply('hello'))
    client.send(sized('/', 'again'))
    await client.until(/again$/)
  })

  it('is said before a body in chunks', async () => {
    const client = await house.sends(chunked('', 'expect: 100-continue\r\n'))
    await client.until(/100 Continue\r\n\r\n$/)
    client.send('1\r\na\r\n0\r\n\r\n')
    await client.until(/a$/)
    expect(client.said).toBe(go + reply('a'))
  })

  it.each([
    ['when the body came with the head', `${expecting(5)}hello`, reply('hello')],
    ['when its beginning came with the head', `${expecting(5)}hel`, reply('hello')],
    ['when there is no body', expecting(0), reply('')],
    ['to HTTP/1.0', expecting(5, '1.0'), reply('hello', 'connection: close\r\n')],
  ])('is not said %s', async (_title, sent, expected) => {
    const client = await house.sends(sent)
    await expect.poll(() => house.exchanges).toHaveLength(1)
    if (!expected.endsWith('\n')) client.send('hello'.slice(sent.length - sent.indexOf('\r\n\r\n') - 4))
    await client.wait(() => client.said.length >= expected.length)
    expect(client.said).toBe(expected)
  })

  it('is not said when the answer is there already', async () => {
    house.serve = (exchange) => answer(exchange, 'no', 403)
    const client = await house.sends(expecting(5))
    await client.wait(() => client.ended)
    expect(client.said).toBe(closing('no', '403 Forbidden'))
  })
})

describe('a body that drips', () => {
  it('is refused when it is slower than it must be', async () => {
    const client = await house.sends(request('/', 'content-length: 1000\r\n', 'x'))
    await expect.poll(() => house.exchanges).toHaveLength(1)
    house.clock.advance(1_100)
    await client.wait(() => client.ended)
    expect(client.said).toBe(closing('LB_SLOW_BODY', '408 Request Timeout'))
  })

  it('is read as long as each window brings enough', async () => {
    let seen = 0
    house.serve = async (exchange) => {
      const body = await exchange.readBody(10_000, (bytes) => void (seen += bytes.byteLength))
      answer(exchange, String(body.byteLength))
    }
    const client = await house.sends(request('/', 'content-length: 1000\r\n'))
    await expect.poll(() => house.exchanges).toHaveLength(1)
    for (let sent = 0; sent < 1_000; sent += 200) {
      client.send('x'.repeat(200))
      await expect.poll(() => seen, { interval: 2 }).toBe(sent + 200)
      house.clock.advance(900)
    }
    await client.until(/1000$/)
  })

  it('that is no body of ours to read has no deadline', async () => {
    house.serve = () => undefined
    const client = await house.sends(request('/', 'content-length: 1000\r\n', 'x'))
    await expect.poll(() => house.exchanges).toHaveLength(1)
    house.clock.advance(60_000)
    expect(client.text).toBe('')
    answer(house.exchanges[0] as Exchange, 'late')
    await client.until(/late$/)
  })
})

describe('a watch', () => {
  it('sees the pieces, and what it throws is the answer', async () => {
    const seen: string[] = []
    house.serve = async (exchange) => {
      const watch = (bytes: Uint8Array): void => {
        seen.push(Buffer.from(bytes).toString())
        if (seen.length > 1) throw new Error('enough')
      }
      try {
        await exchange.readBody(1_000, watch)
      } catch (error) {
        answer(exchange, (error as Error).message, 400)
      }
    }
    const client = await house.sends(request('/', 'content-length: 100\r\n', 'one'))
    await expect.poll(() => seen).toEqual(['one'])
    client.send('two')
    await client.wait(() => client.ended)
    expect(client.said).toBe(closing('enough', '400 Bad Request'))
    expect(seen).toEqual(['one', 'two'])
  })
})
