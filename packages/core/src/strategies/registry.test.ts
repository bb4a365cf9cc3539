import { describe, expect, it } from 'vitest'
import { FakeClock, seededRandom } from '../base/index.js'
import type { StrategyContext, StrategyPlugin } from '../contracts/index.js'
import { builtinStrategies, createStrategyRegistry, defaultStrategyName } from './index.js'
import { beliefOf, factsOf } from './scene.test.fixture.js'

const context: StrategyContext = {
  settings: {},
  random: seededRandom(1),
  clock: new FakeClock(),
  belief: beliefOf([]),
}

const plugin = (name: string, pick: () => number): StrategyPlugin => ({ name, summary: 's', settings: {}, create: () => ({ pick }) })
const candidates = [{ id: 'p/a', index: 0, weight: 1 }]
const facts = factsOf()

describe('the strategy registry', () => {
  it('finds strategies by name and by alias', () => {
    const registry = createStrategyRegistry()
    expect(registry.find('least-connections')).toBe(registry.find('least-requests'))
    expect(registry.find(defaultStrategyName)?.name).toBe('adaptive')
    for (const { name, aliases = [] } of builtinStrategies)
      for (const word of [name, ...aliases]) expect(registry.catalogue.has(word)).toBe(true)
  })

  it('says what it knows when a name is unknown', () => {
    expect(() => createStrategyRegistry().create('fastest', context)).toThrow(expect.objectContaining({ code: 'LB_STRATEGY_UNKNOWN' }))
  })

  it('refuses two strategies of one name, aliases included', () => {
    expect(() => createStrategyRegistry([plugin('least-connections', () => 0)])).toThrow(
      expect.objectContaining({ code: 'LB_STRATEGY_DUPLICATE' }),
    )
  })

  it.each([-2, 1, 0.5, Number.NaN])('names a plugin strategy that picks %s of one candidate', (index) => {
    const strategy = createStrategyRegistry([plugin('odd', () => index)]).create('odd', context)
    expect(() => strategy.pick(facts, candidates)).toThrow(/strategy "odd" failed/)
  })

  it('fills in the defaults of settings that are left out', () => {
    const seen: unknown[] = []
    const settings = { properties: { far: { default: 3 }, near: { default: 1 }, any: {} } }
    const curious: StrategyPlugin = {
      ...plugin('curious', () => 0),
      settings,
      create: (given) => (seen.push(given.settings), { pick: () => 0 }),
    }
    createStrategyRegistry([curious]).create('curious', { ...context, settings: { near: 2 } })
    expect(seen).toEqual([{ far: 3, near: 2 }])
  })

  it('names a plugin strategy that throws', () => {
    const boom = plugin('boom', () => {
      throw new Error('no idea')
    })
    expect(() => createStrategyRegistry([boom]).create('boom', context).pick(facts, candidates)).toThrow(/"boom" failed: it threw: no idea/)
  })
})
