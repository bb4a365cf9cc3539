import type { RandomSource } from '../base/index.js'
import type { Decision, DecisionCandidate, RosterNode, Strategy, TraceSink } from '../contracts/index.js'
import { createStrategyRegistry } from '../strategies/index.js'
import type { Admitted } from './admit.js'
import { leftOutBy, type Question } from './filters.js'
import type { PoolRoute, ProxyContext } from './proxy-context.js'
import { Sampling } from './sampling.js'
import { withheldNodes } from './withheld-nodes.js'

export interface TracerOptions {
  readonly random: RandomSource
  /** Share of requests that are traced unasked, 0..1. */
  readonly share: () => number
  readonly onDecision: (decision: Decision) => void
}

/** What one traced choice is made of. */
export interface Choosing {
  readonly question: Question
  readonly routable: readonly RosterNode[]
  /** After the filters. */
  readonly fitting: readonly RosterNode[]
  /** After the zones: what the strategy may choose from. */
  readonly candidates: readonly RosterNode[]
}

/** A request whose choices are told; made in admission, and there for the few that are traced only. */
export interface Tracing {
  readonly askedFor: boolean
  readonly sessionFrom: string | null
  /** A request in line is asked about again and again; that it waits is told once. */
  waits: boolean
}

/** Tells how nodes were chosen, for a sample of the requests and for those that ask. */
export class DecisionTracer {
  private readonly sampling: Sampling
  /** For each pool the strategy that `lb why` compares with. */
  private readonly turns = new Map<string, Strategy>()
  private readonly registry = createStrategyRegistry()

  constructor(private readonly options: TracerOptions) {
    this.sampling = new Sampling(options.random)
  }

  /** True for the share of requests that is traced unasked. */
  takesSample(): boolean {
    return this.sampling.takes(this.options.share())
  }

  /** Chooses as the strategy alone would, and tells how. */
  choose(context: ProxyContext, request: Admitted, choosing: Choosing): number {
    const { candidates } = choosing
    const { pool, facts, tracing } = request
    const cached = cachedAt(context, request, candidates)
    const seen = candidates.map((node, position) => seenOf(context, node, cached[position]))
    const told = new Told()
    const position = candidates.length === 0 ? -1 : pool.strategy.pick(facts, candidates, told)
    if (tracing === undefined || (position === -1 && candidates.length > 0 && tracing.waits)) return position
    tracing.waits = position === -1
    const turn = candidates.length === 0 ? -1 : this.turnsOf(pool, context).pick(facts, candidates)
    this.options.onDecision({
      v: 1,
      id: facts.id,
      arrivedAtMs: request.arrivedAtMs,
      decidedMs: rounded(context.clock.nowMs() - request.arrivedMs),
      attempt: choosing.question.attempt ?? choosing.question.tried.length + 1,
      askedFor: tracing.askedFor,
      pool: pool.name,
      model: facts.model,
      strategy: pool.strategyName,
      promptTokens: facts.promptTokens,
      outputTokens: facts.outputTokens,
      sessionFrom: tracing.sessionFrom,
      sloTtftMs: facts.sloTtftMs ?? null,
      candidates: seen.map((candidate, at) => ({ ...candidate, terms: told.terms[at] ?? null })),
      leftOut: this.leftOut(context, choosing),
      unit: told.unitName,
      wins: told.wins,
      because: told.reasons,
      choice: candidates[position]?.id ?? null,
      roundRobin: candidates[turn]?.id ?? null,
    })
    return position
  }

  retain(pools: ReadonlySet<string>): void {
    for (const name of this.turns.keys()) if (!pools.has(name)) this.turns.delete(name)
  }

  private leftOut(context: ProxyContext, { question, routable, fitting, candidates }: Choosing): Decision['leftOut'] {
    const filtered = leftOutBy(routable, fitting, question).map(({ node, ...why }) => ({ node: node.id, ...why }))
    const far = fitting
      .filter((node) => !candidates.includes(node))
      .map((node) => ({ node: node.id, filter: 'zone' as const, reason: context.zones.reason(node) }))
    return [...filtered, ...far, ...withheldNodes(context.rosters.current(), question.request.pool.name, routable)]
  }

  private turnsOf({ name }: PoolRoute, { clock, leases }: ProxyContext): Strategy {
    let turns = this.turns.get(name)
    if (turns === undefined) {
      turns = this.registry.create('round-robin', { settings: {}, random: this.options.random, clock, belief: leases })
      this.turns.set(name, turns)
    }
    return turns
  }
}

class Told implements TraceSink {
  readonly terms: Readonly<Record<string, number>>[] = []
  readonly reasons: string[] = []
  unitName = 'ms'
  wins: 'lowest' | 'highest' = 'lowest'

  cost(position: number, terms: Readonly<Record<string, number>>): void {
    this.terms[position] = { ...terms }
  }

  unit(name: string, wins: 'lowest' | 'highest'): void {
    this.unitName = name
    this.wins = wins
  }

  because(reason: string): void {
    this.reasons.push(reason)
  }
}

/** Copied: the next question overwrites it. */
function cachedAt(context: ProxyContext, { facts }: Admitted, candidates: readonly RosterNode[]): Float64Array {
  return Float64Array.from(context.leases.cachedTokens(facts, candidates).promisedTokens.subarray(0, candidates.length))
}

function seenOf(context: ProxyContext, node: RosterNode, cachedTokens = 0): Omit<DecisionCandidate, 'terms'> {
  const { inFlight, waiting, prefillTokens } = context.leases.of(node)
  return { node: node.id, zone: node.zone ?? null, inFlight, waiting, prefillTokens, cachedTokens: Math.round(cachedTokens) }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
