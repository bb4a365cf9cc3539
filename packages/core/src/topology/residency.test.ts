import { describe, expect, it } from 'vitest'
import { errorsOf, resolveText } from './catalogue.test.fixture.js'
import { renderTopology } from './render-topology.js'

const pool = (residency: string, node = '{ engine: sim, launch: {} }') => `pools: { chat: { residency: ${residency}, nodes: [${node}] } }`

describe('residency of a pool', () => {
  it('has defaults, and requests wait for a pool that rests', async () => {
    const [plain] = (await resolveText(pool('{}'))).pools
    expect(plain?.residency).toEqual({ minResidentMs: 30_000, evictCost: 1, wakeWithinMs: 300_000 })
    expect(plain?.wake).toEqual({ withinMs: 300_000 })
    const [none] = (await resolveText('pools: { chat: { nodes: [{ engine: sim, launch: {} }] } }')).pools
    expect([none?.residency, none?.wake]).toEqual([undefined, undefined])
  })

  it('resolves to itself as lb config prints it', async () => {
    const topology = await resolveText(pool('{ idleUnload: 10m, minResident: 5s, evictCost: 2.5, wakeWithin: 90s }'))
    expect(topology.pools[0]?.residency).toEqual({ idleUnloadMs: 600_000, minResidentMs: 5_000, evictCost: 2.5, wakeWithinMs: 90_000 })
    expect(await resolveText(await renderTopology(topology))).toEqual(topology)
  })

  it.each([
    [pool('{ evictCost: -1 }'), /a number, at least 0/],
    [pool('{ minResident: 30 }'), /a duration such as/],
    [pool('{ idle: 5m }'), /unknown key|idle/],
    [pool('{ minResident: 48h, wakeWithin: 72h }'), /minResident cannot be `48h`/],
    [pool('{ idleUnload: 99999h }'), /idleUnload cannot be `99999h`/],
    [pool('{ minResident: 2m, wakeWithin: 60s }'), /requests wait 60s for it, and pools that share with it may stay 2m and longer/],
    [pool('{ wakeWithin: 10s }'), /may stay 30s and longer/],
    [pool('{}', '{ engine: sim, launch: { replicas: { min: 0, max: 2 } } }'), /its number of nodes follows the load/],
    [pool('{}', '{ name: far, engine: openai, attach: "dns:models.internal:8000" }'), /this group's come from a source/],
    [pool('{}', '{ name: far, engine: openai, attach: { from: "dns:models.internal:8000" } }'), /this group's come from a source|from/],
  ])('is refused where it makes no sense: %s', async (text, message) => {
    expect((await errorsOf(resolveText(text))).render()).toMatch(message)
  })
})
