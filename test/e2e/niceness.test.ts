/** The balancer goes before other programs where the system permits it, and what it launches does not. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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

/** Of a process's session, where the kernel weighs sessions before it weighs what runs in them. */
function sessionNiceness(pid: number): number | undefined {
  const path = `/proc/${pid}/autogroup`
  return existsSync(path) ? Number(/nice (-?\d+)/.exec(readFileSync(path, 'utf8'))?.[1]) : undefined
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

  it('takes its session along, and neither the engine nor who started it is in there', async () => {
    house = new House(simTopology({ replicas: 1, profile: 'instant' }))
    const before = sessionNiceness(process.pid)
    await house.up()
    const { pid, pools } = await house.status()
    // `undefined` where the kernel has no such thing.
    expect(sessionNiceness(pid)).toBe(before === undefined ? undefined : AHEAD)
    expect(sessionNiceness(pools[0]?.nodes[0]?.pid ?? 0)).toBe(before === undefined ? undefined : 0)
    expect(sessionNiceness(process.pid)).toBe(before)
  })

  it('keeps what somebody chose for it', async () => {
    house = new House(simTopology({ replicas: 1, profile: 'instant' }))
    const up = spawnSync('nice', ['-n', '3', binary, 'up', '--detach'], { cwd: house.cwd, env: house.env, encoding: 'utf8' })
    expect([up.status, up.stderr]).toEqual([0, ''])
    expect(await niceness()).toEqual([3, 3])
    expect(sessionNiceness((await house.status()).pid) ?? 0).toBe(0)
  })
})
