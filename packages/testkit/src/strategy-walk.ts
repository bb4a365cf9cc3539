import assert from 'node:assert/strict'
import { createBelief, seededRandom, type Belief, type Lease, type RandomSource } from '@plimsoll/core/routing'
import type { Candidate, Strategy, StrategyPlugin, TraceSink } from '@plimsoll/core/plugin'
import { WalkClock } from './walk-clock.js'
import { walkFacts } from './walk-facts.js'

export interface WalkOptions {
  readonly seed: number
  readonly settings: unknown
  readonly steps: number
  /** Asks for every decision's reasons. */
  readonly isTraced?: boolean
}

/** Lets a strategy choose through a made-up life of a pool, over the balancer's own belief: requests begin and end, nodes come and go. Returns what it chose. */
export function walkStrategy(plugin: StrategyPlugin<never>, options: WalkOptions): readonly string[] {
  const walk = new Walk(plugin, options)
  for (let step = 0; step < options.steps; step += 1) walk.step(step)
  assert.deepEqual(walk.faults, [], 'observe threw')
  return walk.choices
}

class Walk {
  readonly choices: string[] = []
  readonly faults: unknown[] = []
  private readonly clock = new WalkClock()
  private readonly belief: Belief
  private readonly strategy: Strategy
  /** Of the world; the strategy has a source of its own. */
  private readonly random: RandomSource
  private readonly nodes: Candidate[] = []
  private readonly open: Lease[] = []
  private nodesMade = 0

  constructor(
    plugin: StrategyPlugin<never>,
    private readonly options: WalkOptions,
  ) {
    const { clock } = this
    this.random = seededRandom(options.seed)
    this.belief = createBelief({ clock, capacity: 64, onFault: (error) => this.faults.push(error) })
    this.strategy = plugin.create({
      settings: options.settings as never,
      random: seededRandom(options.seed + 1),
      clock,
      belief: this.belief,
    })
    for (let count = 0; count < 4; count += 1) this.join()
  }

  step(serial: number): void {
    const chance = this.random.next()
    if (chance < 0.55) this.request(serial)
    else if (chance < 0.7) this.oneOf(this.open)?.firstToken()
    else if (chance < 0.8) this.oneOf(this.open)?.tokens(1 + Math.floor(30 * this.random.next()))
    else if (chance < 0.94) this.end()
    else if (chance < 0.96) this.join()
    else if (chance < 0.98) this.leave()
    else
      this.belief.learnLoad(this.oneOf(this.nodes)?.index ?? 0, {
        running: 2,
        waiting: 1,
        kvUsedRatio: this.random.next(),
        kvBlocks: 1000,
        kvBlockTokens: 16,
      })
    this.clock.pass(60 * this.random.next())
  }

  private request(serial: number): void {
    const facts = walkFacts(this.random, serial)
    const candidates = Object.freeze(this.someNodes())
    const position: unknown = this.strategy.pick(
      facts,
      candidates,
      this.options.isTraced === true ? checkingTrace(candidates.length) : undefined,
    )
    assert.ok(
      typeof position === 'number' && Number.isInteger(position) && position >= -1 && position < candidates.length,
      `it picked ${String(position)} of ${candidates.length} candidates`,
    )
    const node = candidates[position]
    this.choices.push(node?.id ?? 'none')
    if (node !== undefined) this.open.push(this.belief.open(node, facts, this.strategy))
  }

  private end(): void {
    const [lease] = this.open.splice(Math.floor(this.random.next() * this.open.length), 1)
    const outcome = (['answered', 'answered', 'failed', 'cancelled'] as const)[Math.floor(4 * this.random.next())] ?? 'answered'
    const usage = this.random.next() < 0.7 ? { promptTokens: 500, completionTokens: 60, cachedTokens: 320 } : undefined
    if (this.random.next() < 0.95) lease?.settle({ outcome, usage })
    else lease?.settle()
  }

  private join(): void {
    if (this.nodes.length >= 20) return
    const serial = this.nodesMade
    this.nodesMade += 1
    const weight = this.random.next() < 0.3 ? 0.25 + 3 * this.random.next() : 1
    const zone = serial % 3 === 0 ? { zone: `zone-${serial % 2}` } : {}
    const price = serial % 4 === 0 ? { price: { promptPerMillion: this.random.next(), outputPerMillion: 2 * this.random.next() } } : {}
    this.nodes.push(
      Object.freeze({ id: `pool/node-${serial}`, index: this.belief.takeRow(), weight, incarnation: serial, ...zone, ...price }),
    )
  }

  private leave(): void {
    if (this.nodes.length < 2) return
    const [node] = this.nodes.splice(Math.floor(this.random.next() * this.nodes.length), 1)
    if (node === undefined) return
    this.belief.freeRow(node.index)
    this.strategy.observe?.({ kind: 'node-gone', id: node.id, index: node.index })
  }

  /** In any order; at least one. */
  private someNodes(): readonly Candidate[] {
    const share = this.random.next() < 0.5 ? 1 : this.random.next()
    const some = this.nodes.filter(() => this.random.next() <= share)
    const nodes = some.length === 0 ? this.nodes.slice(0, 1) : some
    return nodes
      .map((node) => ({ node, order: this.random.next() }))
      .sort((one, other) => one.order - other.order)
      .map(({ node }) => node)
  }

  private oneOf<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.random.next() * items.length)]
  }
}

/** Fails over reasons that nobody could print. */
function checkingTrace(candidates: number): TraceSink {
  return {
    cost(position, terms) {
      assert.ok(Number.isInteger(position) && position >= 0 && position < candidates, `a cost of position ${position} of ${candidates}`)
      for (const [term, value] of Object.entries(terms)) assert.ok(Number.isFinite(value), `the term ${term} is ${value}`)
    },
    unit(name, wins) {
      assert.match(name, /\S/, 'a unit without a name')
      assert.ok(wins === 'lowest' || wins === 'highest', `${String(wins)} wins`)
    },
    because(reason) {
      assert.match(reason, /^[^\n]{3,}$/, 'a reason without words')
    },
  }
}
