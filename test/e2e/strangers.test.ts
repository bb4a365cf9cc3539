/** Row d2 of the promises under faults: whatever a state file says, a process that is not ours gets no signal. */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { House, simTopology, until } from './house.js'

/** Writes down each signal that it gets, and lives on. */
const VICTIM = `const { writeSync } = require('node:fs')
for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(s, () => writeSync(1, s + '\\n'))
setInterval(() => {}, 1000)
writeSync(1, 'up\\n')`
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

interface Identity {
  readonly pid: number
  readonly startTime: string
  readonly bootId: string
}

interface Victim {
  readonly child: ChildProcess
  readonly identity: Identity
}

let house: House
let victims: Victim[]
let signals: string

beforeEach(() => {
  house = new House(simTopology({ replicas: 1 }))
  victims = []
  signals = join(house.folder, 'signals')
  writeFileSync(signals, '', { mode: 0o666 })
})

afterEach(async () => {
  for (const { child } of victims) child.kill('SIGKILL')
  await house.close()
})

/** Its environment holds nothing of the house, so that the house's own clearing up leaves it alone too. */
async function victim(options: { readonly uid?: number; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Identity> {
  const said = openSync(signals, 'a')
  const child = spawn(process.execPath, ['-e', VICTIM], {
    detached: true,
    stdio: ['ignore', said, 'ignore'],
    cwd: '/',
    env: { ...options.env },
    ...(options.uid === undefined ? {} : { uid: options.uid }),
  })
  closeSync(said)
  await until(() => linesOf(signals, 'up') === victims.length + 1)
  const identity = identityOf(child.pid ?? 0)
  victims.push({ child, identity })
  return identity
}

function linesOf(path: string, line: string): number {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((each) => each === line).length
}

function identityOf(pid: number): Identity {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return { pid, startTime: fields[19] ?? '', bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() }
}

/** Writes a state file in which every process is somebody else's, with marks that look right. */
async function forge(processes: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}): Promise<unknown[]> {
  const { stateFile } = JSON.parse((await house.lb(['paths', '--json'])).stdout) as { stateFile: string }
  const name = dirname(stateFile).split('/').at(-1) ?? ''
  const nodes = Object.entries(processes).map(([id, process]) => {
    const mark = `${name}/demo/${id}/0badc0de-forged`
    return { id: `demo/${id}`, engine: 'sim', url: 'http://127.0.0.1:18400', mark, logPath: signals, process }
  })
  const gone = { pid: 999_999_999, startTime: '1', bootId: 'gone' }
  mkdirSync(dirname(stateFile), { recursive: true })
  const file = join(house.cwd, 'lb.yaml')
  writeFileSync(stateFile, JSON.stringify({ v: 1, name, file, startedAtMs: 1, balancer: gone, listen: [], nodes, ...more }))
  return nodes
}

async function forgeAll(): Promise<Readonly<Record<string, unknown>>> {
  const recycled = await victim()
  const otherBoot = await victim()
  const unmarked = await victim()
  const wronglyMarked = await victim({ env: { LB_NODE: 'another/demo/sim/0badc0de-else' } })
  const byUser: Record<string, unknown> = isRoot ? { 'other-user': await victim({ uid: NOBODY, env: { LB_NODE: 'x' } }) } : {}
  return {
    recycled: { ...recycled, startTime: '12345' },
    'other-boot': { ...otherBoot, bootId: '00000000-0000-0000-0000-000000000000' },
    unmarked,
    'wrongly-marked': wronglyMarked,
    ...byUser,
    'pid-one': identityOf(1),
    zero: { ...recycled, pid: 0 },
    everybody: { ...recycled, pid: -1 },
    'a-group': { ...recycled, pid: -recycled.pid },
    huge: { ...recycled, pid: 2 ** 53 },
    text: { ...recycled, pid: `../${recycled.pid}` },
    us: identityOf(process.pid),
    nothing: {},
  }
}

const heard = (): string[] =>
  readFileSync(signals, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && line !== 'up')
const allLive = (): boolean => victims.every(({ child }) => child.exitCode === null && child.signalCode === null)

describe('a forged state file', () => {
  it('makes lb down send no signal, and say why', async () => {
    const forged = await forgeAll()
    const count = Object.keys(forged).length
    await forge(forged)
    const down = await house.lb(['down', '--json'])
    expect(down.code, down.stderr).toBe(0)
    const { engines, strangers } = JSON.parse(down.stdout) as { engines: string[]; strangers: string[] }
    expect(engines).toEqual([])
    const said = strangers.join('\n')
    expect(said).toMatch(/recycled: process \d+ is another one by now/)
    expect(said).toMatch(/other-boot: process \d+ was written down before the machine's last boot/)
    expect(said).toMatch(/unmarked: process \d+ does not carry the mark/)
    expect(said).toMatch(/wrongly-marked: process \d+ does not carry the mark/)
    if (isRoot) expect(said).toMatch(/other-user: process \d+ belongs to another user/)
    expect(said).toMatch(/everybody: -1 cannot be the pid of an engine/)
    expect(heard()).toEqual([])
    expect(allLive()).toBe(true)
    process.stdout.write(
      `\nforged state file, lb down: ${heard().length} signals over ${count} forged records (n = ${victims.length} victims)\n`,
    )
  })

  it('makes lb up send none either, with adopt and with reap', async () => {
    const forged = await forgeAll()
    for (const leftovers of ['adopt', 'reap']) {
      await forge(forged)
      const up = await house.lb(['up', '--detach', '--leftovers', leftovers])
      expect(up.code, up.stderr).toBe(0)
      expect(house.logs()).toContain('balancer.stranger')
      expect((await house.lb(['down'])).code).toBe(0)
    }
    expect(heard()).toEqual([])
    expect(allLive()).toBe(true)
  })

  it('does not make lb down --force end a stranger that it calls balancer or keeper', async () => {
    const keeper = await victim()
    const balancer = await victim()
    await forge({}, { keeper })
    expect((await house.lb(['down'])).stderr).toMatch(/left alone: process \d+ is no balancer/)
    await forge({}, { balancer })
    expect((await house.lb(['down', '--force'])).stderr).toMatch(/left alone: process \d+ is no balancer/)
    await forge({}, { keeper: identityOf(1) })
    expect((await house.lb(['down'])).stderr).toMatch(/left alone: process 1 cannot be its balancer/)
    expect(heard()).toEqual([])
    expect(allLive()).toBe(true)
  })

  it('would reach its victims where pids were believed: the negative control', async () => {
    const forged = await forgeAll()
    const own = new Set(victims.map(({ identity }) => identity.pid))
    for (const { process: named } of (await forge(forged)) as { process: { pid?: unknown } }[])
      if (typeof named.pid === 'number' && own.has(named.pid)) process.kill(named.pid, 'SIGTERM')
    await until(() => heard().length >= victims.length)
    expect(heard().length).toBe(victims.length)
  })
})
