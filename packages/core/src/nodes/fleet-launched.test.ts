import { factsOf } from '../strategies/scene.test.fixture.js'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { isSameProcess } from '../machines/index.js'
import { fleetMaker, launchGroup, serverScript, topologyOf } from './fleet.test.fixture.js'
import { endLeftovers, findLeftovers } from './leftovers.js'

const make = fleetMaker()
const ID = 'demo/sim'
const only = (fleet: ReturnType<typeof make>['fleet'], id = ID) => {
  const node = fleet.nodes().find((one) => one.id === id)
  if (node === undefined) throw new Error(`no node ${id}`)
  return node
}
const pidOf = (fleet: ReturnType<typeof make>['fleet'], id = ID) => only(fleet, id).endpoint?.process?.pid ?? 0

describe('a launched node', () => {
  it('becomes ready by its probes, with declared variables and its mark in the environment', async () => {
    const { fleet, until } = make()
    await fleet.apply(
      topologyOf([launchGroup(serverScript("console.log('E ' + process.env.MINE + ' ' + process.env.LB_NODE)"), { env: { MINE: 'yes' } })]),
    )
    expect(fleet.current().routable('demo')).toEqual([])
    expect(fleet.current().emptyReason('demo')).toBe('loading')
    await until(ID, 'ready')
    expect(
      fleet
        .current()
        .routable('demo')
        .map(({ id }) => id),
    ).toEqual([ID])
    const { endpoint } = only(fleet)
    expect(readFileSync(endpoint?.logPath ?? '', 'utf8')).toContain(`E yes ${endpoint?.mark}`)
  })

  it('comes back as another life after a kill', async () => {
    const { fleet, until, walk } = make()
    await fleet.apply(topologyOf([launchGroup(serverScript())]))
    await until(ID, 'ready')
    const before = { pid: pidOf(fleet), incarnation: only(fleet).incarnation }
    process.kill(before.pid, 'SIGKILL')
    await until(ID, 'failed')
    expect(only(fleet).reason).toBe('ended by SIGKILL: listening')
    expect(fleet.current().routable('demo')).toEqual([])
    await until(ID, 'ready')
    expect(pidOf(fleet)).not.toBe(before.pid)
    expect(only(fleet)).toMatchObject({ incarnation: before.incarnation + 1, restarts: 1, reason: null })
    // A probe may have been faster than the news of its end.
    expect(walk(ID).filter((state) => state !== 'suspect')).toEqual(['starting', 'ready', 'failed', 'starting', 'ready'])
  })

  it('stays failed when its budget is spent, says why with its last line, and is resumed by a person', async () => {
    const { fleet, until } = make()
    const script = "console.error('\\u001b[31mCUDA out of memory\\u001b[0m'); process.exit(9)"
    await fleet.apply(topologyOf([launchGroup(script, { restarts: { max: 1, withinMs: 60_000 } })]))
    await expect
      .poll(() => only(fleet).reason, { timeout: 15_000 })
      .toMatch(/^failed 2 times in 1 minutes and is not started again: exited with code 9: the memory of its GPU is full; give it/)
    expect(fleet.current().emptyReason('demo')).toBe('down')
    await fleet.resume(ID)
    await until(ID, 'failed')
    expect(only(fleet).reason).toMatch(/^exited with code 9: the memory of its GPU is full/)
    expect(only(fleet).lastLines).toEqual(['CUDA out of memory'])
  })

  it('counts a load that never ends as a failed attempt', async () => {
    const { fleet, until } = make()
    await fleet.apply(
      topologyOf([
        launchGroup("console.log('loading forever'); setInterval(() => {}, 1000)", {
          readyWithinMs: 400,
          restarts: { max: 0, withinMs: 60_000 },
        }),
      ]),
    )
    const identity = only(fleet).endpoint?.process
    await until(ID, 'failed')
    expect(only(fleet).reason).toMatch(/not ready: no progress for 0\.4 s: loading forever$/)
    expect(identity === undefined || (await isSameProcess(identity))).toBe(false)
  })

  it('takes the next port when somebody else took its own', async () => {
    const { fleet, until } = make()
    // The engine waits for the file-less signal of its log, so that the port is surely taken before it binds.
    const script = `setTimeout(() => { ${serverScript()} }, 600)`
    await fleet.apply(topologyOf([launchGroup(script)]))
    const first = only(fleet).endpoint?.target.port ?? 0
    const thief = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => thief.listen(first, '127.0.0.1', resolve))
    await until(ID, 'ready')
    thief.close()
    expect(only(fleet).endpoint?.target.port).not.toBe(first)
    expect(only(fleet)).toMatchObject({ restarts: 0, state: 'ready' })
  })

  it('takes the next port when another program answers on its own and makes it look ready, and has failed at no moment', async () => {
    const { fleet, until, walk } = make()
    const script = `setTimeout(() => { ${serverScript()} }, 1500)`
    await fleet.apply(topologyOf([launchGroup(script)]))
    const first = only(fleet).endpoint?.target.port ?? 0
    const other = createHttpServer((_, response) => response.end('ok'))
    await new Promise<void>((resolve) => other.listen(first, '127.0.0.1', resolve))
    await until(ID, 'ready')
    expect(only(fleet).endpoint?.target.port).toBe(first)
    await expect.poll(() => only(fleet).endpoint?.target.port, { timeout: 15_000 }).not.toBe(first)
    await until(ID, 'ready')
    other.close()
    expect(only(fleet)).toMatchObject({ restarts: 0, state: 'ready' })
    expect(walk(ID)).not.toContain('failed')
  })

  it('is drained until its last request has ended, then restarted once, however often that is asked', async () => {
    const { fleet, leases, until, judge } = make()
    await fleet.apply(topologyOf([launchGroup(serverScript())]))
    await until(ID, 'ready')
    const before = pidOf(fleet)
    const lease = leases.open({ id: 'n', index: only(fleet).index, weight: 1 }, factsOf())
    await fleet.restart(ID)
    await fleet.restart(ID)
    await sleep(100)
    await judge()
    expect(only(fleet)).toMatchObject({ state: 'draining', reason: 'restart asked by you' })
    expect(pidOf(fleet)).toBe(before)
    lease.settle()
    await expect.poll(() => pidOf(fleet), { timeout: 15_000 }).not.toBe(before)
    await until(ID, 'ready')
    expect(only(fleet)).toMatchObject({ restarts: 1, incarnation: 2 })
  })

  it('is ready again at once when a drain is taken back, and starts anew when its engine died meanwhile', async () => {
    const { fleet, until } = make()
    await fleet.apply(topologyOf([launchGroup(serverScript())]))
    await until(ID, 'ready')
    const before = pidOf(fleet)
    fleet.drain(ID)
    expect(fleet.current().routable('demo')).toEqual([])
    await fleet.resume(ID)
    expect(only(fleet).state).toBe('ready')
    expect(pidOf(fleet)).toBe(before)
    fleet.drain(ID)
    process.kill(before, 'SIGKILL')
    await until(ID, 'stopped')
    await fleet.resume(ID)
    await until(ID, 'ready')
    expect(pidOf(fleet)).not.toBe(before)
  })

  it('that waits for its next attempt is not launched twice by a resume', async () => {
    const { fleet, until } = make()
    await fleet.apply(topologyOf([launchGroup(serverScript())]))
    await until(ID, 'ready')
    process.kill(pidOf(fleet), 'SIGKILL')
    await until(ID, 'failed')
    await fleet.resume(ID)
    await until(ID, 'ready')
    const { pid, incarnation } = { pid: pidOf(fleet), incarnation: only(fleet).incarnation }
    await sleep(500)
    expect({ pid: pidOf(fleet), incarnation: only(fleet).incarnation }).toEqual({ pid, incarnation })
  })
})

describe('a fleet', () => {
  it('leaves no engine behind when it is closed while they are being launched', async () => {
    const { fleet } = make()
    const starting = fleet.apply(topologyOf([launchGroup(serverScript(), { replicas: 3 })]))
    await fleet.close({ drainMs: 0, engines: 'stop' })
    await starting
    for (const node of fleet.nodes()) {
      expect(node.state).toBe('stopped')
      expect(node.endpoint?.process !== undefined && (await isSameProcess(node.endpoint.process))).toBe(false)
    }
  })

  it('keeps on reload what did not change, applies weights in place, and ends what is gone', async () => {
    const { fleet, leases, until } = make()
    const kept = launchGroup(serverScript())
    const gone = { ...launchGroup(serverScript()), name: 'gone' }
    await fleet.apply(topologyOf([kept, gone]))
    await until(ID, 'ready')
    await until('demo/gone', 'ready')
    const before = pidOf(fleet)
    const left = only(fleet, 'demo/gone')
    const lease = leases.open({ id: 'n', index: left.index, weight: 1 }, factsOf())
    await fleet.apply(
      topologyOf([
        { ...kept, weight: 3 },
        { ...launchGroup(serverScript()), name: 'new' },
      ]),
    )
    expect(fleet.nodes().map(({ id }) => id)).toEqual([ID, 'demo/new'])
    expect(fleet.leaving().map(({ id }) => id)).toEqual(['demo/gone'])
    expect(fleet.current().routable('demo')).toMatchObject([{ id: ID, weight: 3 }])
    expect(pidOf(fleet)).toBe(before)
    expect(left.state).toBe('draining')
    lease.settle()
    await expect.poll(() => fleet.leaving(), { timeout: 15_000 }).toEqual([])
    expect(left.state).toBe('stopped')
    await until('demo/new', 'ready')
  })

  it('ends without asking when a close is forced in the middle of a polite one', async () => {
    const { fleet, until } = make()
    await fleet.apply(topologyOf([launchGroup(serverScript("process.on('SIGTERM', () => {})"))], { drainMs: 1000 }))
    await until(ID, 'ready')
    const force = new AbortController()
    const startedMs = performance.now()
    const closing = fleet.close({ drainMs: 0, engines: 'stop', forced: force.signal })
    await sleep(200)
    expect(only(fleet).state).toBe('draining')
    force.abort()
    await closing
    expect(performance.now() - startedMs).toBeLessThan(4000)
    expect(only(fleet).state).toBe('stopped')
  })

  it('can leave the engines, which are then ended by what the state file says', async () => {
    const { fleet, until, name, stateDir } = make()
    await fleet.apply(topologyOf([launchGroup(serverScript())]))
    await until(ID, 'ready')
    await fleet.close({ drainMs: 0, engines: 'leave' })
    const [record] = fleet.records()
    if (record?.process === undefined) throw new Error('no process')
    expect(await isSameProcess(record.process)).toBe(true)
    const stranger = { pid: process.pid, startTime: '1', bootId: record.process.bootId }
    const nodes = [
      record,
      { ...record, id: 'demo/other', mark: `${name}/demo/other/x`, process: stranger },
      { id: 'demo/attached', engine: 'script', url: record.url, mark: '' },
    ]
    const state = { v: 1, name, startedAtMs: 0, balancer: stranger, listen: [], nodes } as const
    const reaped = await endLeftovers(await findLeftovers({ name, paths: { stateDir, logDir: stateDir }, state }))
    expect(reaped).toEqual({ stopped: [ID], strangers: [{ id: 'demo/other', why: `process ${process.pid} is lb itself` }] })
    expect(await isSameProcess(record.process)).toBe(false)
  })
})
