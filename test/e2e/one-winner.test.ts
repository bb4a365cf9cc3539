import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House, simTopology, until } from './house.js'

let house: House

afterEach(async () => {
  await house.close()
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = (server.address() as { port: number }).port
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('many `lb up` of one topology at once', () => {
  it('have one winner; the others say why', async () => {
    house = new House(simTopology({ replicas: 1 }).replace('127.0.0.1:0', `127.0.0.1:${await freePort()}`))
    const results = await Promise.all(Array.from({ length: 12 }, () => house.lb(['up', '--detach'])))
    const winners = results.filter((result) => result.code === 0)
    expect(winners, results.map((result) => result.stderr).join('\n')).toHaveLength(1)
    for (const loser of results.filter((result) => result.code !== 0)) {
      expect(loser.code).toBe(1)
      expect(loser.stderr).toMatch(/already running|port/i)
    }
    expect((await house.status()).pools[0]?.nodes).toHaveLength(1)
  })
})

describe('two topologies on one port', () => {
  it('do not share it: the second is told', async () => {
    const port = await freePort()
    house = new House(simTopology({ replicas: 1 }).replace('127.0.0.1:0', `127.0.0.1:${port}`))
    await house.up()
    house.write('other.yaml', `name: other\n${simTopology({ replicas: 1 }).replace('127.0.0.1:0', `127.0.0.1:${port}`)}`)
    const second = await house.lb(['up', '--detach', '--file', 'other.yaml'])
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(String(port))
  })
})

describe('what an earlier life left', () => {
  it('a stale lock and a half-written state file do not stand in the way', async () => {
    house = new House(simTopology({ replicas: 1 }))
    await house.up()
    const paths = JSON.parse((await house.lb(['paths', '--json'])).stdout) as { stateFile: string; lockPath: string }
    for (const survivor of house.survivors()) process.kill(survivor, 'SIGKILL')
    await until(() => house.survivors().length === 0)
    writeFileSync(paths.stateFile, '{"v":1,"name":')
    writeFileSync(join(house.folder, 'note'), 'x')
    await house.up()
    expect((await house.status()).pools[0]?.nodes[0]?.state).toBe('ready')
  })
})
