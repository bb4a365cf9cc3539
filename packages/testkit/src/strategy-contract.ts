import assert from 'node:assert/strict'
import { createStrategyRegistry, resolveTopology } from '@plimsoll/core'
import type { RequestFacts, RoutingEvent, Strategy, StrategyPlugin } from '@plimsoll/core/plugin'
import { createBelief, seededRandom } from '@plimsoll/core/routing'
import type { ContractRule } from './contract.js'
import { settingsRule } from './settings-rule.js'
import { walkStrategy } from './strategy-walk.js'
import { WalkClock } from './walk-clock.js'
import { walkFacts } from './walk-facts.js'

/** What an author may say beside the plugin. */
export interface StrategySubject {
  /** Settings to hold it to, besides its defaults. */
  readonly settings?: readonly Readonly<Record<string, unknown>>[]
}

const SEEDS = [11, 12, 13]
const STEPS = 300

/** The contract of strategy plugins as a list, for any test runner: `for (const { title, run } of strategyContract(strategy)) test(title, run)`. */
export function strategyContract<Settings>(given: StrategyPlugin<Settings>, subject: StrategySubject = {}): readonly ContractRule[] {
  const plugin = given as unknown as StrategyPlugin<never>
  const kinds = [{}, ...(subject.settings ?? [])]
  const everyWalk = async (check: (seed: number, settings: unknown) => void): Promise<void> => {
    for (const each of kinds) {
      const settings = await settingsOf(plugin, each)
      for (const seed of SEEDS) check(seed, settings)
    }
  }
  return [
    {
      title: 'it says its name, and in one line what it is good for',
      async run() {
        for (const name of [plugin.name, ...(plugin.aliases ?? [])]) assert.match(name, /^[a-z][a-z0-9-]*$/)
        assert.match(plugin.summary, /^[^\n]{10,}$/)
      },
    },
    settingsRule((given) => settingsOf(plugin, given)),
    {
      title: 'it picks a candidate or none, whatever nodes and requests come and go, and changes neither',
      run: () => everyWalk((seed, settings) => void walkStrategy(plugin, { seed, settings, steps: STEPS })),
    },
    {
      title: 'it chooses the same when asked for its reasons, and gives numbers and words that can be printed',
      run: () =>
        everyWalk((seed, settings) => {
          const untraced = walkStrategy(plugin, { seed, settings, steps: STEPS })
          assert.deepEqual(walkStrategy(plugin, { seed, settings, steps: STEPS, isTraced: true }), untraced)
        }),
    },
    {
      title: 'it takes chance and time from its context alone: the same seed, the same choices',
      run: () =>
        everyWalk((seed, settings) => {
          const first = walkStrategy(plugin, { seed, settings, steps: STEPS })
          assert.deepEqual(walkStrategy(plugin, { seed, settings, steps: STEPS }), first)
        }),
    },
    {
      title: 'it chooses a node while all are idle',
      async run() {
        const { strategy, facts, nodes } = await bench(plugin)
        assert.notEqual(strategy.pick(facts, nodes), -1)
      },
    },
    {
      title: 'it takes any news of requests and nodes, in any order, and reports numbers',
      async run() {
        const { strategy, facts, nodes } = await bench(plugin)
        for (const event of strayEvents(facts)) strategy.observe?.(event)
        assert.ok(strategy.pick(facts, nodes) >= -1)
        for (const [name, value] of Object.entries(strategy.report?.() ?? {})) assert.equal(typeof value, 'number', `its report of ${name}`)
      },
    },
  ]
}

/** How long one choice takes, in microseconds: to be looked at, not to be held to, because machines differ. The gateway wants some 5 among 16 nodes. */
export async function pickCosts<Settings>(
  given: StrategyPlugin<Settings>,
): Promise<readonly { readonly nodes: number; readonly microseconds: number }[]> {
  const costs = []
  for (const count of [2, 16, 256, 1000]) {
    const { strategy, facts, nodes } = await bench(given as unknown as StrategyPlugin<never>, count)
    const turns = Math.ceil(100_000 / count)
    for (let turn = 0; turn < turns; turn += 1) strategy.pick(facts, nodes)
    const from = performance.now()
    for (let turn = 0; turn < turns; turn += 1) strategy.pick(facts, nodes)
    costs.push({ nodes: count, microseconds: (1000 * (performance.now() - from)) / turns })
  }
  return costs
}

async function bench(plugin: StrategyPlugin<never>, count = 4) {
  const clock = new WalkClock()
  const belief = createBelief({ clock, capacity: count })
  const settings = (await settingsOf(plugin, {})) as never
  const strategy: Strategy = plugin.create({ settings, random: seededRandom(1), clock, belief })
  const nodes = Array.from({ length: count }, (_, at) => ({ id: `pool/node-${at}`, index: belief.takeRow(), weight: 1 }))
  return { strategy, nodes, facts: walkFacts(seededRandom(4), 1) }
}

/** News of a request that nobody placed, on nodes that nobody knows. */
function strayEvents(facts: RequestFacts): readonly RoutingEvent[] {
  const node = { id: 'pool/stranger', index: 9, weight: 1 }
  const settled = { kind: 'settled', facts, node, atMs: 5, promptTokens: 0, outputTokens: 0, totalMs: 0 } as const
  return [
    { kind: 'node-gone', id: 'pool/nobody', index: 60 },
    { ...settled, outcome: 'cancelled', cachedTokens: undefined, ttftMs: undefined },
    { kind: 'first-token', facts, node, atMs: 4, ttftMs: 0, believedCachedTokens: 1e9 },
    { kind: 'dispatched', facts, node, atMs: 3 },
    { ...settled, outcome: 'failed', cachedTokens: 0, ttftMs: 0 },
    { ...settled, outcome: 'answered', cachedTokens: 1e9, ttftMs: 1e9, totalMs: 1e9, outputTokens: 1e6 },
    { kind: 'node-gone', id: node.id, index: node.index },
  ]
}

/** Checked and with defaults filled in, as reading a topology does it. */
async function settingsOf(plugin: StrategyPlugin<never>, given: unknown): Promise<unknown> {
  const { name } = plugin
  const known = createStrategyRegistry()
  const { catalogue } = known.find(name) === undefined ? createStrategyRegistry([plugin]) : known
  const engines = new Map([['contract', { settings: {}, canLaunch: false }]])
  const nodes = [{ name: 'node', engine: 'contract', attach: 'http://127.0.0.1:1' }]
  const topology = await resolveTopology(
    { name: 'contract', pools: { contract: { models: ['model-a'], strategy: { ...(given as object), name }, nodes } } },
    { engines, strategies: catalogue, env: {} },
  )
  return topology.pools[0]?.strategy.settings
}
