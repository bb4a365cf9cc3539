import { describe, expect, it } from 'vitest'
import { oomKills } from '../machines/index.js'
import { fleetMaker, launchGroup, serverScript, topologyOf } from './fleet.test.fixture.js'
import { howEnded, type HowEnded } from './how-ended.js'
import type { LifeEnded } from './node.js'

const make = fleetMaker()
const life = { oomKills: oomKills() }

describe('how a process ended', () => {
  it.each<[HowEnded, number | null, string | null]>([
    ['crash', null, 'SIGSEGV'],
    ['crash', null, 'SIGABRT'],
    ['crash', 134, null],
    ['crash', 139, null],
    ['crash', 1, null],
    ['killed', null, 'SIGKILL'],
    ['killed', null, 'SIGTERM'],
    ['killed', null, 'SIGUSR1'],
    ['killed', 137, null],
    ['killed', 143, null],
    ['unknown', 0, null],
    ['unknown', null, null],
  ])('is %s for code %s and signal %s', (how, code, signal) => {
    expect(howEnded(life, { code, signal })).toBe(how)
  })

  it('is a crash where the kernel killed it for lack of memory', () => {
    expect(howEnded({ oomKills: -1 }, { code: null, signal: 'SIGKILL' })).toBe('crash')
    expect(howEnded({ oomKills: -1 }, { code: 137, signal: null })).toBe('crash')
  })

  it('is unknown where ssh lost its machine, and a crash where the program there ended with 255', () => {
    const remote = { host: 'far', remotePort: 1 } as unknown as NonNullable<Parameters<typeof howEnded>[0]['remote']>
    expect(howEnded({ ...life, remote }, { code: 255, signal: null })).toBe('unknown')
    expect(howEnded(life, { code: 255, signal: null })).toBe('crash')
  })
})

describe('the fleet', () => {
  it.each([
    ['SIGABRT', 'crash'],
    ['SIGKILL', 'killed'],
  ] as const)('tells once that an engine was ended by %s: %s', async (signal, how) => {
    const { fleet, until } = make()
    const ends: LifeEnded[] = []
    fleet.events.on('life-ended', (end) => ends.push(end))
    await fleet.apply(topologyOf([launchGroup(serverScript())]))
    await until('demo/sim', 'ready')
    process.kill(fleet.nodes()[0]?.endpoint?.process?.pid ?? 0, signal)
    await until('demo/sim', 'failed')
    expect(ends).toEqual([{ node: 'demo/sim', connectionKey: 'demo/sim#1', how }])
    await until('demo/sim', 'ready')
    expect(fleet.current().nodes[0]).toMatchObject({ connectionKey: 'demo/sim#2', lastEnd: how })
  })

  it('says that an engine was killed that lb ends itself', async () => {
    const { fleet, until } = make()
    const ends: LifeEnded[] = []
    fleet.events.on('life-ended', (end) => ends.push(end))
    await fleet.apply(topologyOf([launchGroup(serverScript())]))
    await until('demo/sim', 'ready')
    await fleet.close({ drainMs: 0, engines: 'stop' })
    expect(ends).toEqual([{ node: 'demo/sim', connectionKey: 'demo/sim#1', how: 'killed' }])
  })
})
