import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isSameProcess } from '../machines/index.js'
import { factsOf } from '../strategies/scene.test.fixture.js'
import type { Topology } from '../topology/index.js'
import { attachGroup, fleetMaker, launchGroup, topologyOf, type TestFleet } from './fleet.test.fixture.js'
import { findLeftovers } from './leftovers.js'

const make = fleetMaker()
const ID = 'demo/sim'
const residency = { minResidentMs: 0, evictCost: 1, wakeWithinMs: 60_000 }

/** Tells its log what it is told; `refuses` are the paths that it answers 500 on, `hangs` those that it never answers. */
const script = (refuses: readonly string[] = [], hangs: readonly string[] = []) => `let sleeps = false
require('node:http').createServer((q, s) => {
  if (q.url === '/asleep') { s.statusCode = sleeps ? 200 : 404; return s.end() }
  if (q.url !== '/') { console.log('told ' + q.url); sleeps = q.url === '/sleep' }
  if (${JSON.stringify(hangs)}.includes(q.url)) return
  s.statusCode = ${JSON.stringify(refuses)}.includes(q.url) ? 500 : 200
  s.end('ok')
}).listen(Number(process.env.SCRIPT_PORT), '127.0.0.1', () => console.log('listening'))`

interface Facts {
  readonly rests?: boolean
  readonly sleeps?: boolean
  readonly refuses?: readonly string[]
  readonly hangs?: readonly string[]
  readonly wakeWithinMs?: number
}

function topology({ rests = false, sleeps = true, refuses, hangs, wakeWithinMs = residency.wakeWithinMs }: Facts = {}): Topology {
  const group = launchGroup(script(refuses, hangs), { settings: { script: script(refuses, hangs), sleeps } })
  return topologyOf([rests ? { ...group, rests } : group], { residency: { ...residency, wakeWithinMs } })
}

const nodeOf = ({ fleet }: TestFleet, id = ID) => fleet.nodes().find((one) => one.id === id) ?? expect.fail(`no node ${id}`)
const logOf = (house: TestFleet) => readFileSync(nodeOf(house).endpoint?.logPath ?? '', 'utf8')
const pidOf = (house: TestFleet) => nodeOf(house).endpoint?.process?.pid
const poll = (house: TestFleet) => expect.poll(() => nodeOf(house).state, { timeout: 15_000 })

async function ready(facts: Facts = {}): Promise<TestFleet> {
  const house = make()
  await house.fleet.apply(topology(facts))
  await house.until(ID, 'ready')
  return house
}

async function asleep(facts: Facts = {}): Promise<TestFleet> {
  const house = await ready(facts)
  await house.fleet.apply(topology({ ...facts, rests: true }))
  await poll(house).toBe('asleep')
  return house
}

describe('a node that shall rest', () => {
  it('ends what it has, however long that takes, and takes nothing new; then its engine sleeps, and no verdict counts', async () => {
    const house = await ready()
    const { fleet, leases, judge } = house
    const lease = leases.open({ id: 'n', index: nodeOf(house).index, weight: 1 }, factsOf())
    await fleet.apply(topology({ rests: true }))
    await poll(house).toBe('draining')
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect([nodeOf(house).state, fleet.current().routable('demo'), logOf(house).includes('/sleep')]).toEqual(['draining', [], false])
    lease.settle()
    await poll(house).toBe('asleep')
    expect(nodeOf(house)).toMatchObject({ restsBy: 'sleep', reason: 'rests: its engine sleeps until a request comes' })
    await judge()
    expect(nodeOf(house).state).toBe('asleep')
    expect(fleet.current().absent('demo')).toMatchObject([{ state: 'asleep', mayComeBack: true }])
  })

  it('is woken as another life of the same process', async () => {
    const house = await asleep()
    const before = { pid: pidOf(house), incarnation: nodeOf(house).incarnation }
    await house.fleet.apply(topology())
    await poll(house).toBe('ready')
    expect(pidOf(house)).toBe(before.pid)
    expect(nodeOf(house).incarnation).toBe(before.incarnation + 1)
    expect(logOf(house)).toMatch(/told \/sleep\ntold \/wake/)
    expect(house.walk(ID).slice(-3)).toEqual(['asleep', 'starting', 'ready'])
  })

  it('is called back while it still drains', async () => {
    const house = await ready()
    const lease = house.leases.open({ id: 'n', index: nodeOf(house).index, weight: 1 }, factsOf())
    await house.fleet.apply(topology({ rests: true }))
    await poll(house).toBe('draining')
    await house.fleet.apply(topology())
    await poll(house).toBe('ready')
    lease.settle()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect([nodeOf(house).state, logOf(house).includes('/sleep')]).toEqual(['ready', false])
  })

  it.each([
    ['cannot sleep', { sleeps: false }, 'rests: no process runs until a request comes'],
    ['refuses to', { refuses: ['/sleep'] }, 'rests: no process runs until a request comes (answered 500)'],
  ])('is stopped where its engine %s, and started anew', async (_, facts, reason) => {
    const house = await asleep(facts)
    const before = nodeOf(house).endpoint?.process
    expect(nodeOf(house)).toMatchObject({ restsBy: 'stop', reason })
    expect(before !== undefined && (await isSameProcess(before))).toBe(false)
    expect(house.fleet.records()).toEqual([])
    await house.fleet.apply(topology(facts))
    await house.until(ID, 'ready')
    expect(pidOf(house)).not.toBe(before?.pid)
  })

  it('rests on when its engine ends in its sleep, and is launched when it is woken', async () => {
    const house = await asleep()
    const pid = pidOf(house) ?? expect.fail('no process')
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => nodeOf(house).reason, { timeout: 10_000 }).toMatch(/SIGKILL/)
    expect(nodeOf(house).state).toBe('asleep')
    await house.fleet.apply(topology())
    await house.until(ID, 'ready')
    expect(pidOf(house)).not.toBe(pid)
  })

  it('is begun anew where it cannot be woken', async () => {
    const house = await asleep({ refuses: ['/wake'] })
    const pid = pidOf(house)
    await house.fleet.apply(topology({ refuses: ['/wake'] }))
    await house.until(ID, 'ready')
    expect(pidOf(house)).not.toBe(pid)
    expect(house.walk(ID)).toContain('failed')
  })

  it('is begun anew where its engine does not answer when it is woken, in the time that requests wait for it', async () => {
    const facts = { hangs: ['/wake'], wakeWithinMs: 500 }
    const house = await asleep(facts)
    const pid = pidOf(house)
    await house.fleet.apply(topology(facts))
    await house.until(ID, 'ready')
    expect(pidOf(house)).not.toBe(pid)
    expect(house.walk(ID)).toContain('failed')
  })

  it('is not launched at all while it rests from the start', async () => {
    const house = make()
    await house.fleet.apply(topology({ rests: true }))
    await poll(house).toBe('asleep')
    expect(nodeOf(house).endpoint).toBeUndefined()
    await house.fleet.apply(topology())
    await house.until(ID, 'ready')
  })

  it("gets no more requests, and nothing else, where its server is somebody else's that cannot rest", async () => {
    const house = make()
    const server = await ready()
    const far = attachGroup(nodeOf(server).endpoint?.url ?? '')
    await house.fleet.apply(topologyOf([far], { residency }))
    await house.until('demo/far', 'ready')
    await house.fleet.apply(topologyOf([{ ...far, rests: true }], { residency }))
    await expect.poll(() => nodeOf(house, 'demo/far').state, { timeout: 10_000 }).toBe('asleep')
    expect(nodeOf(house, 'demo/far').restsBy).toBe('idle')
    await house.fleet.apply(topologyOf([far], { residency }))
    await house.until('demo/far', 'ready')
  })
})

describe.runIf(process.platform === 'linux')('an engine that sleeps while its balancer is killed', () => {
  async function abandoned(facts: Facts = {}) {
    const first = await asleep(facts)
    const nodes = first.fleet.records()
    await first.fleet.close({ drainMs: 0, engines: 'leave' })
    const balancer = { pid: 999_999_999, startTime: '1', bootId: 'x' }
    const state = { v: 1, name: first.name, startedAtMs: 0, balancer, listen: [], nodes } as const
    const { engines } = await findLeftovers({ name: first.name, paths: { stateDir: first.stateDir, logDir: first.stateDir }, state })
    expect(engines).toHaveLength(1)
    return { first, second: make({ of: first, leftovers: engines }) }
  }

  it('is taken over as it sleeps, and sleeps on', async () => {
    const { first, second } = await abandoned()
    await second.fleet.apply(topology({ rests: true }))
    await poll(second).toBe('asleep')
    expect([pidOf(second), nodeOf(second).restsBy]).toEqual([pidOf(first), 'sleep'])
  })

  it('is woken also where its pool takes no turns any more: the file was edited meanwhile', async () => {
    const { first, second } = await abandoned()
    const { pools } = topology()
    const { residency: _, ...pool } = pools[0] ?? expect.fail('no pool')
    await second.fleet.apply({ ...topology(), pools: [pool] })
    await second.until(ID, 'ready')
    expect(pidOf(second)).toBe(pidOf(first))
    await expect.poll(() => logOf(second)).toMatch(/told \/sleep\ntold \/wake/)
  })

  it('is not put to sleep again before it has been woken: both at once would end in any order', async () => {
    const facts = { hangs: ['/wake'], wakeWithinMs: 1_000 }
    const { second } = await abandoned(facts)
    void second.fleet.apply(topology(facts))
    await expect.poll(() => nodeOf(second).endpoint !== undefined && logOf(second)).toMatch(/told \/wake/)
    await second.fleet.apply(topology({ ...facts, rests: true }))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(logOf(second)).not.toMatch(/told \/wake[^]*told \/sleep/)
    await poll(second).toBe('asleep')
    expect(nodeOf(second).restsBy).toBe('stop')
  })

  it('is woken where it shall be awake now: the kill came in the middle of a swap', async () => {
    const { first, second } = await abandoned()
    await second.fleet.apply(topology())
    await second.until(ID, 'ready')
    expect(pidOf(second)).toBe(pidOf(first))
    await expect.poll(() => logOf(second)).toMatch(/told \/sleep\ntold \/wake/)
  })
})
