/** Row m of the promises at its full size: 50 at once, one winner, everybody else told why. Nightly: `npm run test:long`. */
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { House, simTopology } from '../e2e/house.js'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

it('50 parallel `lb up` of one topology on one port have one winner', async () => {
  const house = new House(simTopology({ replicas: 1 }).replace('127.0.0.1:0', `127.0.0.1:${await freePort()}`))
  try {
    const results = await Promise.all(Array.from({ length: 50 }, () => house.lb(['up', '--detach'])))
    expect(results.filter((result) => result.code === 0)).toHaveLength(1)
    for (const loser of results.filter((result) => result.code !== 0)) expect(loser.stderr).toMatch(/already running|port/i)
    expect((await house.status()).pools[0]?.nodes[0]?.state).toBe('ready')
    process.stdout.write('\n50 parallel `lb up`: 1 winner, 49 told why (n = 50)\n')
  } finally {
    await house.lb(['down', '--force'])
    await house.close()
  }
}, 300_000)
