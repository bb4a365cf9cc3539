import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { takeBodyMemory } from './body-memory.js'
import { DoorHouse, request, type RawClient } from './door.test.fixture.js'
import type { Exchange } from './exchange.js'

let house: DoorHouse

beforeEach(async () => {
  house = await new DoorHouse().open()
  house.serve = (exchange) => exchange.respond({ status: 200, headers: {} })
})

afterEach(() => house.close())

async function served(count: number): Promise<{ readonly client: RawClient; readonly exchange: Exchange }> {
  const client = await house.sends(request('/'))
  await expect.poll(() => house.exchanges.length, { interval: 5 }).toBe(count)
  return { client, exchange: house.exchanges[count - 1] as Exchange }
}

/** A piece that says which one it is, all over. */
const piece = (index: number): Buffer => Buffer.alloc(40_000, `<${index}>`)

describe('large writes', () => {
  it('leave through memory that is used again', async () => {
    const { client, exchange } = await served(1)
    exchange.write(piece(7))
    await client.wait(() => client.text.length > 40_000)
    expect(takeBodyMemory(40_000).subarray(0, 45_000).includes('<7><7><7>')).toBe(true)
  })

  it('are whole, those that wait for a slow client too, while others are served', async () => {
    const slow = await served(1)
    const quick = await served(2)
    slow.client.socket.pause()
    let held = 0
    while (slow.exchange.write(piece(held))) held += 1
    for (let index = 0; index < 50; index += 1) {
      quick.exchange.write(piece(1_000 + index))
      await quick.client.wait(() => quick.client.text.includes(`<${1_000 + index}>`))
    }
    slow.client.socket.resume()
    slow.exchange.end()
    quick.exchange.end()
    for (const { client } of [slow, quick]) await client.until(/\r\n0\r\n\r\n$/)
    const bodyOf = ({ client }: typeof slow): string => client.text.slice(client.text.indexOf('\r\n\r\n') + 4)
    const frames = (from: number, count: number): string =>
      `${Array.from({ length: count }, (_, index) => `9c40\r\n${piece(from + index).toString('latin1')}\r\n`).join('')}0\r\n\r\n`
    expect(bodyOf(slow) === frames(0, held + 1)).toBe(true)
    expect(bodyOf(quick) === frames(1_000, 50)).toBe(true)
  })

  it('give their memory back when the client leaves with them unread', async () => {
    const { client, exchange } = await served(1)
    client.socket.pause()
    let held = 0
    while (exchange.write(piece(held))) held += 1
    client.socket.resetAndDestroy()
    await expect.poll(() => house.door.size).toBe(0)
    const wanted = Buffer.from(`<${held}><${held}>`)
    const taken = Array.from({ length: 200 }, () => takeBodyMemory(40_000))
    expect(taken.some((memory) => memory.includes(wanted))).toBe(true)
  })
})
