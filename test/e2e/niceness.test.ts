/** The balancer goes before other programs where the system permits it, and what it launches does not. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { House, binary, simTopology } from './house.js'

const MAY_GO_AHEAD = spawnSync(process.execPath, ['-e', "require('node:os').setPriority(-5)"]).status === 0
const AHEAD = MAY_GO_AHEAD ? -5 : 0

let house: House

afterEach(async () => {
  await house.close()
})

/** Of the balancer's main thread and of the engine that it launched. */
async function niceness(): Promise<readonly [balancer: number, engine: number]> {
  const { pid, pools } = await house.status()
  return [getPriority(pid), getPriority(pools[0]?.nodes[0]?.pid ?? 0)]
}

/** Of each thread of a process; `(name)` may hold spaces, so what follows it is read. */
function threadsAt(pid: number, wanted: number): number {
  const stats = readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8'))
  return stats.filter((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]) === wanted).length
}

describe.skipIf(process.platform !== 'linux' || getPriority() !== 0)('a balancer beside other programs', () => {
  it('goes ahead where it may; its engine does not, nor when it is started again', async () => {
    house = new House(simTopology({ replicas: 1, profile: 'instant' }))
    await house.up()
    expect(await niceness()).toEqual([AHEAD, 0])
    const before = (await house.status()).pools[0]?.nodes[0]?.pid ?? 0
    process.kill(before, 'SIGKILL')
    await expect
      .poll(async () => (await house.status()).pools[0]?.nodes[0], { timeout: 10_000 })
      .toSatisfy((node: { pid: number | null; state: string } | undefined) => node?.state === 'ready' && node.pid !== before)
    expect(await niceness()).toEqual([AHEAD, 0])
  })

  it('takes its data threads along', async () => {
    house = new House(simTopology({ replicas: 1, profile: 'instant' }).replace('127.0.0.1:0 }', '127.0.0.1:0, workers: 2 }'))
    await house.up()
    const { pid } = await house.status()
    // The main thread and its two data threads, with the helpers that these have started.
    if (MAY_GO_AHEAD) expect(threadsAt(pid, AHEAD)).toBeGreaterThanOrEqual(3)
    expect((await niceness())[1]).toBe(0)
  })

  it('keeps what somebody chose for it', async () => {
    house = new House(simTopology({ replicas: 1, profile: 'instant' }))
    const up = spawnSync('nice', ['-n', '3', binary, 'up', '--detach'], { cwd: house.cwd, env: house.env, encoding: 'utf8' })
    expect([up.status, up.stderr]).toEqual([0, ''])
    expect(await niceness()).toEqual([3, 3])
  })
})
