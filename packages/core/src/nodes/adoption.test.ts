import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir, userInfo } from 'node:os'
import { describe, expect, it } from 'vitest'
import { claimFile } from '../base/index.js'
import { isSameProcess, ownIdentity } from '../machines/index.js'
import { attachGroup, fleetMaker, launchGroup, serverScript, topologyOf, type TestFleet } from './fleet.test.fixture.js'
import { findLeftovers, type Leftovers } from './leftovers.js'

const make = fleetMaker()
const ID = 'demo/sim'
const same = topologyOf([launchGroup(serverScript())])
const NONE = { pid: 999_999_999, startTime: '1', bootId: 'x' }
const nodeOf = ({ fleet }: TestFleet) => {
  const node = fleet.nodes().find((one) => one.id === ID)
  if (node === undefined) throw new Error(`no node ${ID}`)
  return node
}
const pidOf = (house: TestFleet) => nodeOf(house).endpoint?.process?.pid ?? 0

/** A fleet whose balancer goes without a word, and what a state file of that moment says. */
async function abandoned(topology = same): Promise<{ first: TestFleet; found: Leftovers }> {
  const first = make()
  await first.fleet.apply(topology)
  await first.until(ID, 'ready')
  const nodes = first.fleet.records()
  await first.fleet.close({ drainMs: 0, engines: 'leave' })
  const state = { v: 1, name: first.name, startedAtMs: 0, balancer: NONE, listen: [], nodes } as const
  return { first, found: await findLeftovers({ name: first.name, paths: { stateDir: first.stateDir, logDir: first.stateDir }, state }) }
}

describe.runIf(process.platform === 'linux')('an engine that a killed balancer left', () => {
  it('is taken over as it runs: same process, same port, same log', async () => {
    const { first, found } = await abandoned()
    expect(found).toMatchObject({ engines: [{ id: ID }], orphans: [], strangers: [] })
    const second = make({ of: first, leftovers: found.engines })
    await second.fleet.apply(same)
    await second.until(ID, 'ready')
    expect(pidOf(second)).toBe(pidOf(first))
    const [before, after] = [nodeOf(first).endpoint, nodeOf(second).endpoint]
    expect(after).toMatchObject({ adopted: true, url: before?.url, logPath: before?.logPath, mark: before?.mark, launch: before?.launch })
    expect(readFileSync(after?.logPath ?? '', 'utf8').match(/listening/g)).toHaveLength(1)
    expect(second.fleet.records()).toHaveLength(1)
    expect(second.walk(ID)).toEqual(['starting', 'ready'])
  })

  it('is ended like any other afterwards, and one that dies by itself is started anew', async () => {
    const { first, found } = await abandoned()
    const second = make({ of: first, leftovers: found.engines })
    await second.fleet.apply(same)
    await second.until(ID, 'ready')
    const adopted = pidOf(second)
    process.kill(adopted, 'SIGKILL')
    await second.until(ID, 'failed')
    expect(nodeOf(second).reason).toBe('ended; how is unknown, for an earlier lb had started it: listening')
    await second.until(ID, 'ready')
    expect(nodeOf(second)).toMatchObject({ restarts: 1, endpoint: { adopted: false } })
    await second.fleet.close({ drainMs: 0, engines: 'stop' })
    const { process: identity } = nodeOf(second).endpoint ?? {}
    expect(identity !== undefined && (await isSameProcess(identity))).toBe(false)
  })

  it('is ended first where another would be launched now', async () => {
    const { first, found } = await abandoned()
    const changed = topologyOf([launchGroup(serverScript('0'))])
    const second = make({ of: first, leftovers: found.engines })
    await second.fleet.apply(changed)
    await second.until(ID, 'ready')
    expect(pidOf(second)).not.toBe(pidOf(first))
    expect(nodeOf(second).endpoint?.adopted).toBe(false)
    const [left] = found.engines
    expect(left !== undefined && (await isSameProcess(left.process))).toBe(false)
  })

  it('is ended where the topology has no such node any more; until then the state file goes on naming it', async () => {
    const { first, found } = await abandoned()
    const second = make({ of: first, leftovers: found.engines })
    const other = { ...launchGroup(serverScript()), name: 'other' }
    const applying = second.fleet.apply(topologyOf([other]))
    expect(second.fleet.records().map(({ id }) => id)).toContain(ID)
    await applying
    await expect.poll(() => second.fleet.records().map(({ id }) => id), { timeout: 15_000 }).toEqual(['demo/other'])
    const [left] = found.engines
    expect(left !== undefined && (await isSameProcess(left.process))).toBe(false)
  })

  it('is ended where its node is attached to a server by now, and where the balancer stops before it could be taken over', async () => {
    const { first, found } = await abandoned()
    const second = make({ of: first, leftovers: found.engines })
    await second.fleet.apply(topologyOf([{ ...attachGroup('http://127.0.0.1:1'), name: 'sim' }]))
    await expect.poll(() => isSameProcess(first.fleet.records()[0]?.process ?? NONE), { timeout: 15_000 }).toBe(false)
    const again = await abandoned()
    const third = make({ of: again.first, leftovers: again.found.engines })
    await third.fleet.close({ drainMs: 0, engines: 'stop' })
    const [left] = again.found.engines
    expect(left !== undefined && (await isSameProcess(left.process))).toBe(false)
    expect(third.fleet.records()).toEqual([])
  })

  it('runs on where nobody can tell whether it fits, because a secret is missing; then it is taken over', async () => {
    process.env['LB_TEST_ADOPTION'] = 'a secret of some length'
    const secret = topologyOf([launchGroup(serverScript(), { env: { TOKEN: { env: 'LB_TEST_ADOPTION' } } })])
    const { first, found } = await abandoned(secret)
    delete process.env['LB_TEST_ADOPTION']
    const second = make({ of: first, leftovers: found.engines })
    await second.fleet.apply(secret)
    expect(nodeOf(second)).toMatchObject({ state: 'failed', reason: expect.stringContaining('LB_TEST_ADOPTION is not set') })
    expect(second.fleet.records().map(({ process: identity }) => identity?.pid)).toEqual([pidOf(first)])
    process.env['LB_TEST_ADOPTION'] = 'a secret of some length'
    await second.fleet.resume(ID)
    await second.until(ID, 'ready')
    delete process.env['LB_TEST_ADOPTION']
    expect(pidOf(second)).toBe(pidOf(first))
  })

  it('is not taken over while another living balancer holds its port', async () => {
    const { first, found } = await abandoned()
    const port = found.engines[0]?.launch?.port ?? 0
    const path = join(tmpdir(), `plimsoll-ports-${userInfo().uid}`, String(port))
    // This process holds it now, as another balancer would.
    const claim = await claimFile({ path, own: await ownIdentity(), isAlive: isSameProcess })
    if (!claim.won) throw new Error('the first balancer holds on to a port that it has left')
    const second = make({ of: first, leftovers: found.engines })
    await second.fleet.apply(same)
    await second.until(ID, 'ready')
    expect(nodeOf(second).endpoint).toMatchObject({ adopted: false })
    expect(pidOf(second)).not.toBe(pidOf(first))
    claim.release()
  })

  it('is found by its mark alone where nobody wrote it down, and a record of another topology counts for nothing', async () => {
    const { first, found } = await abandoned()
    const paths = { stateDir: first.stateDir, logDir: first.stateDir }
    const unwritten = await findLeftovers({ name: first.name, paths, state: undefined })
    expect(unwritten.engines).toEqual([])
    expect(unwritten.orphans.map(({ row }) => row.pid)).toEqual([pidOf(first)])
    const elsewhere = await findLeftovers({ name: first.name, paths: { ...paths, stateDir: '/another/state' }, state: undefined })
    expect(elsewhere.orphans).toEqual([])
    const foreign = { v: 1, name: 'foreign', startedAtMs: 0, balancer: NONE, listen: [], nodes: found.engines } as const
    expect((await findLeftovers({ name: 'foreign', paths, state: foreign })).strangers).toEqual([
      { id: ID, why: 'its mark is not one of this topology' },
    ])
    for (const { row } of unwritten.orphans) process.kill(row.pid, 'SIGKILL')
  })
})
