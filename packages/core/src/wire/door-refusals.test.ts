import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DoorHouse, echo, request, sized } from './door.test.fixture.js'

let house: DoorHouse

beforeEach(async () => {
  house = await new DoorHouse().open()
})

afterEach(() => house.close())

describe('what is no request', () => {
  it.each([
    ['nonsense', 'hello\r\n\r\n', 400],
    ['nonsense without an end', 'hello', 400],
    ['a bare line feed', 'GET / HTTP/1.1\nhost: a\n\n', 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01', 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['HTTP/3.0', 'GET / HTTP/3.0\r\n\r\n', 505],
    ['a head over 16 KiB', `GET / HTTP/1.1\r\nx: ${'y'.repeat(17_000)}`, 431],
    ['too many headers', `GET / HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(101)}\r\n`, 431],
    ['an upgrade', 'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', 501],
    ['another expectation', 'GET / HTTP/1.1\r\nhost: a\r\nexpect: tea\r\n\r\n', 417],
    ['a preface of a proxy that nobody trusts', 'PROXY TCP4 1.2.3.4 10.0.0.1 8080 80\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n', 400],
  ])('%s is answered and closed, and nothing behind it is read', async (_title, sent, status) => {
    const client = await house.sends(sent)
    await client.wait(() => client.ended)
    client.send(request('/behind'))
    client.socket.end()
    await client.end()
    expect(client.said).toMatch(
      new RegExp(
        `^HTTP/1\\.1 ${status} [^\\r]+\\r\\ncontent-type: application/json\\r\\ncontent-length: \\d+\\r\\nconnection: close\\r\\n\\r\\n{`,
      ),
    )
    expect(house.exchanges).toEqual([])
    await expect.poll(() => house.door.size).toBe(0)
  })

  it('behind a good request is refused after its answer', async () => {
    const client = await house.sends(`${sized('/a', 'x')}hello\r\n\r\n`)
    house.serve = echo
    await client.wait(() => client.ended)
    expect(client.said).toMatch(/^HTTP\/1\.1 200 .*HTTP\/1\.1 400 /s)
  })
})
