import type { BeliefView, RequestFacts, RosterNode } from '../contracts/index.js'
import { WaitModel } from './wait-model.js'

/** Nodes of one zone among the candidates; those that name none stand where the gateway does. */
interface Neighbourhood {
  readonly zone: string
  readonly nodes: readonly RosterNode[]
  /** To the nearest of them, so much longer than to the nearest zone. */
  readonly roundTripMs: number
}

interface ZoneMap {
  readonly zone: string
  /** The nearest first. */
  readonly all: readonly Neighbourhood[]
}

/**
 * The nearest zone is preferred until the wait that is predicted there exceeds the wait farther away plus the way to it. It only narrows what the strategy
 * may choose from: zones that would be sooner join the nearest one, they do not replace it.
 */
export class Zones {
  private readonly maps = new WeakMap<readonly RosterNode[], ZoneMap>()
  private readonly models = new Map<string, WaitModel>()

  constructor(
    private readonly belief: BeliefView,
    private readonly ownZone: () => string | undefined,
  ) {}

  /** The candidates that are near enough; the list itself where zones say nothing. */
  nearEnough(pool: string, facts: RequestFacts, candidates: readonly RosterNode[]): readonly RosterNode[] {
    const zone = this.ownZone()
    if (zone === undefined) return candidates
    const { all } = this.mapOf(candidates, zone)
    const [nearest] = all
    if (all.length < 2 || nearest === undefined) return candidates
    let [bestMs, reach] = [this.soonestMs(pool, facts, nearest), 1]
    for (; reach < all.length; reach += 1) {
      const next = all[reach]
      // No wait is shorter than none: most of the time the zones farther away need not be looked at.
      if (next === undefined || bestMs <= next.roundTripMs) break
      const nextMs = this.soonestMs(pool, facts, next)
      if (nextMs >= bestMs) break
      bestMs = nextMs
    }
    if (reach === all.length) return candidates
    const taken = new Set(all.slice(0, reach).flatMap(({ nodes }) => nodes))
    return candidates.filter((node) => taken.has(node))
  }

  /** Prefill that stands between a node and the first token of this request; undefined where zones do not matter, so that nothing is learned in vain. */
  aheadOf(node: RosterNode, facts: RequestFacts): number | undefined {
    return this.ownZone() === undefined || !facts.stream ? undefined : this.tokensAhead(node, facts, this.cachedAt(facts, [node])[0])
  }

  learn(pool: string, tokens: number, { ttftMs, totalMs }: { readonly ttftMs: number; readonly totalMs: number }): void {
    const model = this.modelOf(pool)
    model.learn(tokens, ttftMs)
    model.learnService(totalMs)
  }

  /** Why a node was passed over, for people. */
  reason(node: RosterNode): string {
    const away = node.roundTripMs === undefined ? '' : `, ${node.roundTripMs} ms away`
    return `stands in zone ${node.zone ?? 'unknown'}${away}; a nearer node will be sooner`
  }

  retain(pools: ReadonlySet<string>): void {
    for (const name of this.models.keys()) if (!pools.has(name)) this.models.delete(name)
  }

  /** Until the first token of this request would be there, by the best node of a zone. */
  private soonestMs(pool: string, facts: RequestFacts, { nodes, roundTripMs }: Neighbourhood): number {
    const model = this.modelOf(pool)
    const cached = this.cachedAt(facts, nodes)
    let soonestMs = Number.POSITIVE_INFINITY
    for (let position = 0; position < nodes.length; position += 1) {
      const node = nodes[position]
      if (node === undefined) continue
      const { inFlight, slowness, load } = this.belief.of(node)
      const slotMs = load?.slots === undefined ? 0 : model.slotWaitMs(load.slots, inFlight)
      soonestMs = Math.min(soonestMs, model.waitMs(this.tokensAhead(node, facts, cached[position])) * slowness + slotMs)
    }
    return soonestMs + roundTripMs
  }

  private tokensAhead(node: RosterNode, facts: RequestFacts, cachedTokens = 0): number {
    return this.belief.of(node).prefillTokens + Math.max(1, facts.promptTokens - cachedTokens)
  }

  private cachedAt(facts: RequestFacts, nodes: readonly RosterNode[]): Float64Array {
    return this.belief.cachedTokens(facts, nodes).promisedTokens
  }

  /** A roster's own list stays the same for as long as the roster does. */
  private mapOf(candidates: readonly RosterNode[], zone: string): ZoneMap {
    const known = this.maps.get(candidates)
    if (known?.zone === zone) return known
    const byZone = Map.groupBy(candidates, (node) => node.zone ?? zone)
    const all = [...byZone]
      .map(([name, nodes]) => ({ zone: name, nodes, roundTripMs: Math.min(...nodes.map(({ roundTripMs = 0 }) => roundTripMs)) }))
      .toSorted((one, other) => rank(one, zone) - rank(other, zone) || one.roundTripMs - other.roundTripMs)
    // What a probe costs beside the way is the same everywhere, and so it leaves with the way to the nearest.
    const nearestMs = all[0]?.roundTripMs ?? 0
    const made = { zone, all: all.map((each) => ({ ...each, roundTripMs: Math.max(0, each.roundTripMs - nearestMs) })) }
    this.maps.set(candidates, made)
    return made
  }

  private modelOf(pool: string): WaitModel {
    let model = this.models.get(pool)
    if (model === undefined) this.models.set(pool, (model = new WaitModel()))
    return model
  }
}

/** Its own zone is the nearest, whatever was measured. */
function rank(neighbourhood: Neighbourhood, zone: string): number {
  return neighbourhood.zone === zone ? 0 : 1
}
