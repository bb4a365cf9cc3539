/** The built-in strategies keep the contract; and each rule is shown a strategy that breaks it. */
import { builtinStrategies } from '@plimsoll/core'
import type { Candidate, Strategy, StrategyPlugin } from '@plimsoll/core/plugin'
import { describe, expect, it } from 'vitest'
import { pickCosts, strategyContract } from './index.js'

describe.each(builtinStrategies.map((plugin) => [plugin.name, plugin] as const))('%s', (_name, plugin) => {
  it.each(strategyContract(plugin))('$title', ({ run }) => run())
})

const first: Strategy = { pick: () => 0 }

function pluginWith(strategy: Partial<Strategy> = {}, over: Partial<StrategyPlugin> = {}): StrategyPlugin {
  return {
    name: 'tiny',
    summary: 'a tiny strategy for this test',
    settings: { type: 'object', additionalProperties: false, properties: {} },
    create: () => ({ ...first, ...strategy }),
    ...over,
  }
}

async function broken(plugin: StrategyPlugin): Promise<string[]> {
  const titles: string[] = []
  for (const { title, run } of strategyContract(plugin)) await run().catch(() => titles.push(title))
  return titles
}

describe('the contract of strategies', () => {
  it('is kept by one that does as it should', async () => {
    expect(await broken(pluginWith())).toEqual([])
  })

  let turn = 0
  it.each<[string, StrategyPlugin, RegExp]>([
    ['has a name that no file can say', pluginWith({}, { name: 'Tiny One' }), /says its name/],
    ['says nothing of itself', pluginWith({}, { summary: '' }), /says its name/],
    [
      'takes any setting without a word',
      pluginWith({}, { settings: { type: 'object', additionalProperties: true } }),
      /refuses unknown settings/,
    ],
    ['points behind the candidates', pluginWith({ pick: (_facts, nodes) => nodes.length }), /picks a candidate or none/],
    ['answers later', pluginWith({ pick: () => Promise.resolve(0) as unknown as number }), /picks a candidate or none/],
    [
      'throws over a prompt without blocks',
      pluginWith({ pick: (facts) => (facts.prefixHashes[0]! >= 0 ? 0 : fail()) }),
      /picks a candidate or none/,
    ],
    [
      'sorts the candidates in place',
      pluginWith({ pick: (_facts, nodes) => ((nodes as Candidate[]).sort((a, b) => b.index - a.index), 0) }),
      /changes neither/,
    ],
    [
      'chooses otherwise when watched',
      pluginWith({ pick: (_facts, nodes, trace) => (trace === undefined ? 0 : nodes.length - 1) }),
      /same when asked/,
    ],
    [
      'gives a reason that is no number',
      pluginWith({ pick: (_facts, _nodes, trace) => (trace?.cost(0, { wait: Number.NaN }), 0) }),
      /can be printed/,
    ],
    ['draws its own chance', pluginWith({ pick: (_facts, nodes) => turn++ % nodes.length }), /the same seed, the same choices/],
    ['never chooses', pluginWith({ pick: () => -1 }), /while all are idle/],
    ['throws over news', pluginWith({ observe: fail }), /takes any news/],
    ['reports words', pluginWith({ report: () => ({ error: 'none' as unknown as number }) }), /reports numbers/],
  ])('is broken by one that %s', async (_what, plugin, rule) => {
    expect(await broken(plugin)).toContainEqual(expect.stringMatching(rule))
  })

  it('only reports what a choice costs', async () => {
    const costs = await pickCosts(pluginWith())
    expect(costs.map(({ nodes }) => nodes)).toEqual([2, 16, 256, 1000])
    for (const { microseconds } of costs) expect(microseconds).toBeGreaterThanOrEqual(0)
  })
})

function fail(): never {
  throw new Error('no idea')
}
