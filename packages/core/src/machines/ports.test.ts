import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { userInfo } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ownIdentity } from './identity.js'
import { canBind, reservePort } from './ports.js'
import { scratchFolder } from './processes.test.fixture.js'

const folder = scratchFolder()
const before = process.env['TMPDIR']
let locks = ''

beforeEach(() => {
  process.env['TMPDIR'] = folder()
  locks = join(process.env['TMPDIR'] ?? '', `plimsoll-ports-${userInfo().uid}`)
})
afterEach(() => {
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
})

describe('reserving ports', () => {
  it('gives each asker another port outside the ephemeral ranges', async () => {
    const taken = await Promise.all(Array.from({ length: 20 }, () => reservePort()))
    const ports = taken.map(({ port }) => port)
    expect(new Set(ports).size).toBe(20)
    for (const port of ports) expect(port >= 18_400 && port <= 19_399).toBe(true)
    for (const one of taken) one.release()
    expect(readdirSync(locks)).toEqual([])
  })

  it('passes over a port that somebody listens on, and those told to skip', async () => {
    const first = await reservePort()
    first.release()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(first.port, '127.0.0.1', resolve))
    expect(await canBind(first.port)).toBe(false)
    const second = await reservePort()
    const third = await reservePort(new Set([second.port + 1]))
    server.close()
    expect(second.port).toBeGreaterThan(first.port)
    expect(third.port).toBeGreaterThan(second.port + 1)
    for (const one of [second, third]) one.release()
  })

  it('takes over what an earlier life of the same pid and a torn file hold', async () => {
    const free = await reservePort()
    free.release()
    mkdirSync(locks, { recursive: true })
    const own = await ownIdentity()
    writeFileSync(join(locks, String(free.port)), JSON.stringify({ ...own, startTime: 'long ago' }))
    const taken = await reservePort()
    expect(taken.port).toBe(free.port)
    taken.release()
    writeFileSync(join(locks, String(free.port)), '{"pid":')
    const again = await reservePort()
    expect(again.port).toBe(free.port)
    again.release()
    again.release()
  })
})
