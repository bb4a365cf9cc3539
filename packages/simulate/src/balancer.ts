import type { Candidate, LeaseBook, LeaseEnd, Strategy } from '@plimsoll/core/routing'
import { DueQueue } from './due-queue.js'
import type { Fleet } from './fleet.js'
import type { Flight } from './flight.js'
import type { TokenNews } from './token-news.js'

/** Nodes that are asked besides the first, as the topology's default has it. */
const RETRIES = 2

/** What the balancer needs to have done. */
export interface BalancerEffects {
  /** On its way to `flight.node`. */
  send(flight: Flight): void
  /** The client is told that nobody can answer. */
  refuse(flight: Flight): void
}

/** The balancer between clients and fleet: the strategy chooses, claims are counted, what a node loses is asked elsewhere. */
export class Balancer {
  readonly counts = { held: 0, moved: 0, cut: 0 }
  /** Requests that the strategy lets wait, longest waiting first. */
  private readonly line = new DueQueue<Flight>()

  constructor(
    private readonly strategy: Strategy,
    private readonly belief: LeaseBook,
    private readonly fleet: Fleet,
    private readonly news: TokenNews,
    private readonly effects: BalancerEffects,
  ) {}

  /** Requests that wait for a node. */
  get waiting(): number {
    return this.line.size
  }

  take(flight: Flight): void {
    if (this.line.size === 0 && this.place(flight)) return
    this.counts.held++
    this.line.add(flight.sentMs, flight)
  }

  firstToken(flight: Flight): void {
    this.news.hear(flight.node)
    flight.lease?.firstToken()
    this.news.begin(flight)
    this.askAgain()
  }

  answered(flight: Flight): void {
    const { promptTokens } = flight.facts
    const usage = { promptTokens, completionTokens: flight.request.outputTokens, cachedTokens: flight.cachedTokens }
    this.settle(flight, { outcome: 'answered', usage })
    this.askAgain()
  }

  /** The node did not take it, or died over it: another is asked. Behind the first token the client has to send it again. */
  lost(flight: Flight): void {
    this.settle(flight, { outcome: 'failed' })
    flight.lostBy.push(flight.node)
    flight.node = -1
    this.counts[flight.hasFirstToken ? 'cut' : 'moved']++
    this.take(flight)
  }

  /** The node has left; what is on its way from it comes by `lost`. */
  nodeGone(node: number): void {
    const candidate = this.fleet.candidateAt(node)
    this.fleet.setLive(node, false)
    if (candidate === undefined) return
    this.strategy.observe?.({ kind: 'node-gone', id: candidate.id, index: candidate.index })
    this.askAgain()
  }

  /** The node is there again, as another process. */
  nodeBack(node: number): void {
    this.fleet.setLive(node, true)
    this.askAgain()
  }

  private settle(flight: Flight, end: LeaseEnd): void {
    this.news.hear(flight.node)
    this.news.end(flight)
    flight.lease?.settle(end)
    flight.lease = undefined
  }

  private askAgain(): void {
    for (let flight = this.line.peek(); flight !== undefined && this.place(flight); flight = this.line.peek()) this.line.take()
  }

  /** False: the strategy lets it wait. */
  private place(flight: Flight): boolean {
    const candidates = this.candidatesFor(flight)
    if (candidates.length === 0 || flight.lostBy.length > RETRIES) {
      this.effects.refuse(flight)
      return true
    }
    this.news.hearAll()
    const candidate = candidates[this.strategy.pick(flight.facts, candidates)]
    if (candidate === undefined) return false
    flight.node = this.fleet.placeOf(candidate)
    this.news.hear(flight.node)
    flight.lease = this.belief.open(candidate, flight.facts, this.strategy)
    this.effects.send(flight)
    return true
  }

  private candidatesFor({ lostBy }: Flight): readonly Candidate[] {
    const { live } = this.fleet
    return lostBy.length === 0 ? live : live.filter((candidate) => !lostBy.includes(this.fleet.placeOf(candidate)))
  }
}
