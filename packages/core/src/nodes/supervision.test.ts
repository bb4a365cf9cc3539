import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fleetMaker, launchGroup, serverScript, topologyOf, type TestFleet } from './fleet.test.fixture.js'

const make = fleetMaker()
const ID = 'demo/sim'
const nodeOf = ({ fleet }: TestFleet) => {
  const node = fleet.nodes().find((one) => one.id === ID)
  if (node === undefined) throw new Error(`no node ${ID}`)
  return node
}
const withSettings = (settings: Readonly<Record<string, unknown>>, script = serverScript()) =>
  topologyOf([launchGroup('', { settings: { script, ...settings } })])
const finding = (severity: 'error' | 'warning', kind = 'no-space') => ({ severity, kind, message: 'the disk is full', hint: 'make room' })

describe('a launched node', () => {
  it('shows the step and the share that its log tells, whatever probes say meanwhile', async () => {
    const house = make()
    const go = join(house.stateDir, 'go')
    const slow = `console.log('step weights 40 %'); const wait = setInterval(() => { if (require('node:fs').existsSync('${go}')) { clearInterval(wait); ${serverScript()} } }, 20)`
    await house.fleet.apply(withSettings({}, slow))
    await house.until(ID, 'loading')
    expect(nodeOf(house)).toMatchObject({ reason: 'weights', progress: 0.4 })
    await house.judge()
    expect(nodeOf(house)).toMatchObject({ state: 'loading', reason: 'weights', progress: 0.4 })
    writeFileSync(go, '')
    await house.until(ID, 'ready')
    expect(nodeOf(house)).toMatchObject({ reason: null, progress: null })
    expect(house.walk(ID)).toEqual(['starting', 'loading', 'ready'])
  })

  it('is not launched where the check before says that it would fail, and is launched with a warning', async () => {
    const refused = make()
    await refused.fleet.apply(withSettings({ findings: [finding('warning'), finding('error')] }))
    await refused.until(ID, 'failed')
    expect(nodeOf(refused)).toMatchObject({ reason: 'not launched: the disk is full; make room', endpoint: undefined })
    const warned = make()
    await warned.fleet.apply(withSettings({ findings: [finding('warning')] }))
    await warned.until(ID, 'ready')
    expect(nodeOf(warned).warnings).toEqual(['the disk is full; make room'])
  })

  it('is waited for before a restart until its engine says that it is empty, for others may use it too', async () => {
    const house = make()
    // Busy with somebody else's request for the first three times that it is asked.
    const script = `let asked = 0; require('node:http').createServer((q, s) => {
      if (q.url === '/empty') { asked += 1; console.log('asked ' + asked); s.statusCode = asked > 3 ? 200 : 409 }
      s.end('ok')
    }).listen(Number(process.env.SCRIPT_PORT), '127.0.0.1')`
    await house.fleet.apply(withSettings({ drains: true }, script))
    await house.until(ID, 'ready')
    const before = nodeOf(house).endpoint?.process?.pid
    await house.fleet.restart(ID)
    expect(nodeOf(house).state).toBe('draining')
    await expect.poll(() => nodeOf(house).endpoint?.process?.pid, { timeout: 15_000 }).not.toBe(before)
    expect(readFileSync(nodeOf(house).endpoint?.logPath ?? '', 'utf8')).toContain('asked 4')
  })

  it('keeps what its engine says of its load, without what cannot be true, until the engine is another', async () => {
    const house = make()
    await house.fleet.apply(withSettings({}))
    await house.until(ID, 'ready')
    house.fleet.learnLoad(ID, { running: 2, waiting: -1 })
    house.fleet.learnLoad('no/such', { running: 1 })
    expect(nodeOf(house).load?.facts).toEqual({ running: 2 })
    process.kill(nodeOf(house).endpoint?.process?.pid ?? 0, 'SIGKILL')
    await house.until(ID, 'failed')
    await house.until(ID, 'ready')
    expect(nodeOf(house).load).toBeNull()
  })
})
