import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answer, DoorHouse, echo, reply, request } from './door.test.fixture.js'
import type { Exchange } from './exchange.js'

let house: DoorHouse

beforeEach(async () => {
  house = await new DoorHouse({}, { headMs: 5_000, keepAliveMs: 20_000 }).open()
})

afterEach(() => house.close())

/** Waits for the exchange that is served last. */
async function exchange(count = 1): Promise<Exchange> {
  await expect.poll(() => house.exchanges.length, { interval: 5 }).toBe(count)
  return house.exchanges[count - 1] as Exchange
}

describe('the deadline of a head', () => {
  it.each([
    ['for a connection without a byte', ''],
    ['for half a head', 'POST /v1/chat HTT'],
    ['for a head that wants its end', 'POST / HTTP/1.1\r\nhost: a\r\n'],
    ['for empty lines', '\r\n'],
    ['for more empty lines than are skipped', '\r\n\r\n'],
  ])('%s', async (_title, sent) => {
    const client = await house.sends(sent)
    await expect.poll(() => house.door.size).toBe(1)
    house.clock.advance(4_900)
    client.send('')
    expect(client.text).toBe('')
    house.clock.advance(300)
    await client.wait(() => client.ended)
    expect(client.said).toMatch(/^HTTP\/1\.1 408 .*\r\nconnection: close\r\n\r\n.*"LB_SLOW_HEAD"/s)
  })

  it('is not moved by bytes that drip', async () => {
    const client = await house.client()
    await expect.poll(() => house.door.size).toBe(1)
    for (const byte of 'GET / HTTP/1.1') {
      client.send(byte)
      house.clock.advance(450)
    }
    await client.wait(() => client.ended)
    expect(client.text).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('begins anew with the first byte of the next head', async () => {
    const client = await house.sends(request('/a'))
    await client.until(/\/a$/)
    house.clock.advance(15_000)
    client.send('POST ')
    // The answer to what is whole proves that the bytes before it were read.
    await house.sends(request('/b')).then((other) => other.until(/\/b$/))
    house.clock.advance(4_800)
    client.send(request('/c').slice(5))
    await client.until(/\/c$/)
  })
})

describe('an idle connection', () => {
  it.each(['', '\r\n', '\r\n\r\n'])(
    'is closed when its time is over, whatever line breaks stand behind the last request (%j)',
    async (behind) => {
      const client = await house.sends(request('/a') + behind)
      await client.until(/\/a$/)
      house.clock.advance(behind === '' ? 19_900 : 4_900)
      client.send('')
      expect(house.door.size).toBe(1)
      house.clock.advance(20_000)
      await client.wait(() => client.ended)
      // It lingers for a moment, which begins when all is sent.
      await expect.poll(() => (house.clock.advance(500), house.door.size)).toBe(0)
    },
  )

  it('is closed when the client has closed its side', async () => {
    const client = await house.sends(request('/a'))
    await client.until(/\/a$/)
    client.socket.end()
    await client.end()
    await expect.poll(() => house.door.size).toBe(0)
  })
})

describe('a graceful stop', () => {
  it('closes idle connections and lets busy ones finish', async () => {
    house.serve = (exchange) => (exchange.head.path === '/idle' ? answer(exchange, 'idle') : undefined)
    const idle = await house.sends(request('/idle'))
    await idle.until(/idle$/)
    const fresh = await house.client()
    const busy = await house.sends(request('/busy') + request('/behind'))
    const served = await exchange(2)
    await expect.poll(() => house.door.size).toBe(3)
    house.door.stopAccepting()
    await idle.wait(() => idle.ended)
    await fresh.wait(() => fresh.ended)
    expect([idle.said, fresh.said]).toEqual([reply('idle'), ''])
    answer(served, 'done')
    await busy.wait(() => busy.ended)
    expect(busy.said).toBe(reply('done', 'connection: close\r\n'))
    expect(house.exchanges).toHaveLength(2)
    for (const client of [idle, fresh, busy]) client.socket.end()
    await expect.poll(() => house.door.size).toBe(0)
    await expect(house.client()).rejects.toThrow('ECONNREFUSED')
  })

  it('closes after an answer that has begun', async () => {
    house.serve = () => undefined
    const client = await house.sends(request('/'))
    const served = await exchange()
    served.respond({ status: 200, headers: {} })
    served.write(Buffer.from('begun'))
    await client.until(/begun\r\n$/)
    house.door.stopAccepting()
    served.end(Buffer.from('ended'))
    await client.wait(() => client.ended)
    expect(client.text).toMatch(/5\r\nbegun\r\n5\r\nended\r\n0\r\n\r\n$/)
  })
})

describe('a client that leaves', () => {
  it.each(['destroy', 'resetAndDestroy', 'end'] as const)('in the middle of its body (%s)', async (how) => {
    house.serve = (exchange) => echo(exchange).catch(() => undefined)
    const client = await house.sends(request('/', 'content-length: 100\r\n', 'half'))
    let gone = 0
    ;(await exchange()).onGone(() => (gone += 1))
    client.socket[how]()
    await expect.poll(() => house.door.size).toBe(0)
    expect(gone).toBe(1)
  })

  it('while its body is read gets that as the error', async () => {
    const failed = Promise.withResolvers<unknown>()
    house.serve = (exchange) => Promise.resolve(exchange.readBody(1_000)).catch(failed.resolve)
    const client = await house.sends(request('/', 'content-length: 100\r\n', 'half'))
    await exchange()
    client.socket.destroy()
    expect(await failed.promise).toMatchObject({ code: 'LB_CLIENT_GONE' })
    expect(() => house.exchanges[0]?.readBody(1_000)).toThrow('left')
  })

  it('in the middle of the answer, once; what is written then goes nowhere', async () => {
    house.serve = () => undefined
    const client = await house.sends(request('/'))
    const served = await exchange()
    let gone = 0
    served.onGone(() => (gone += 1))
    served.respond({ status: 200, headers: {} })
    served.write(Buffer.from('begun'))
    await client.until(/begun/)
    client.socket.destroy()
    await expect.poll(() => gone).toBe(1)
    expect(served.write(Buffer.from('more'))).toBe(true)
    served.writeFrames(Buffer.from('1\r\na\r\n'), false)
    served.end(Buffer.from('end'))
    served.abort()
    let late = 0
    served.onGone(() => (late += 1))
    expect([gone, late]).toEqual([1, 1])
  })

  it('is nobody once the answer is out', async () => {
    let gone = 0
    house.serve = (exchange) => {
      exchange.onGone(() => (gone += 1))
      answer(exchange, 'done')
    }
    const client = await house.sends(request('/'))
    await client.until(/done$/)
    client.socket.destroy()
    await expect.poll(() => house.door.size).toBe(0)
    expect(gone).toBe(0)
  })
})

describe('abort', () => {
  it.each([
    ['a length', '1.1', { 'content-length': '100' }, /begun$/],
    ['chunks', '1.1', {}, /begun\r\n$/],
    ['its end only', '1.0', {}, /begun$/],
  ])('breaks a body with %s: the client never sees a clean end', async (_title, version, headers, seen) => {
    house.serve = () => undefined
    const client = await house.sends(`GET / HTTP/${version}\r\nhost: a\r\n\r\n`)
    const served = await exchange()
    served.respond({ status: 200, headers })
    served.write(Buffer.from('begun'))
    await client.until(seen)
    let gone = 0
    served.onGone(() => (gone += 1))
    served.abort()
    await client.wait(() => client.ended || client.closed)
    if (version === '1.0') expect(client.error).toBe('ECONNRESET')
    expect(client.text).not.toContain('0\r\n\r\n')
    await expect.poll(() => house.door.size).toBe(0)
    expect(gone).toBe(0)
  })
})

describe('a client that does not read', () => {
  /** Writes until it is told to wait; what was written. */
  function fill(served: Exchange): number {
    const piece = Buffer.alloc(50_000, 'x')
    let written = piece.byteLength
    while (served.write(piece)) written += piece.byteLength
    return written
  }

  /** A door that waits for a short time only until a client takes a byte: by real time, as the kernel sees it. */
  async function impatient(): Promise<void> {
    await house.close()
    house = await new DoorHouse({}, { writeStallMs: 200 }).open()
  }

  it('makes the writer wait, and calls it back when there is room', async () => {
    house.serve = () => undefined
    const client = await house.sends(request('/'))
    const served = await exchange()
    client.socket.pause()
    served.respond({ status: 200, headers: {} })
    let drained = 0
    served.onDrain(() => (drained += 1))
    let written = fill(served)
    expect(written).toBeLessThan(30_000_000)
    expect(drained).toBe(0)
    client.socket.resume()
    await expect.poll(() => drained).toBe(1)
    written += fill(served)
    await expect.poll(() => drained).toBe(2)
    served.end()
    await client.until(/0\r\n\r\n$/)
    expect(client.text.length).toBeGreaterThan(written)
  })

  it('is cut when it takes nothing for too long, comments or not', async () => {
    await impatient()
    house.serve = () => undefined
    const client = await house.sends(request('/'))
    const served = await exchange()
    client.socket.pause()
    served.respond({ status: 200, headers: {} })
    fill(served)
    const { promise, resolve } = Promise.withResolvers<void>()
    served.onGone(resolve)
    // Whoever keeps a stream alive writes to it again and again: that is no progress.
    const timer = setInterval(() => served.write(Buffer.from(': still here\n\n')), 50)
    await promise
    clearInterval(timer)
    expect(house.door.size).toBe(0)
  })

  it('gets the whole of a last answer, however slowly it reads', async () => {
    house.serve = (exchange) => answer(exchange, 'x'.repeat(20_000_000))
    const client = await house.client()
    client.socket.pause()
    client.send(request('/', 'connection: close\r\n'))
    await exchange()
    house.clock.advance(10_000)
    expect(house.door.size).toBe(1)
    client.socket.resume()
    await client.wait(() => client.ended || client.closed)
    expect(client.text.length - client.text.indexOf('\r\n\r\n') - 4).toBe(20_000_000)
    client.socket.end()
    await expect.poll(() => house.door.size).toBe(0)
  })

  it('of a last answer is cut when it takes nothing for too long', async () => {
    await impatient()
    house.serve = (exchange) => answer(exchange, 'x'.repeat(20_000_000))
    const client = await house.client()
    client.socket.pause()
    client.send(request('/', 'connection: close\r\n'))
    await expect.poll(() => house.exchanges.length).toBe(1)
    await expect.poll(() => house.door.size, { timeout: 10_000 }).toBe(0)
  })
})
