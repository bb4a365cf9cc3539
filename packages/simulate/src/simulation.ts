import {
  createBelief,
  createStrategyRegistry,
  LbError,
  seededRandom,
  TokenEstimates,
  type Belief,
  type Strategy,
} from '@plimsoll/core/routing'
import { Agenda } from './agenda.js'
import { Balancer } from './balancer.js'
import { Clients } from './clients.js'
import { DelayLine } from './delay-line.js'
import { DueQueue } from './due-queue.js'
import { Fleet, type FleetEvents } from './fleet.js'
import { Flight } from './flight.js'
import { LoadRecorder } from './load-recorder.js'
import { Measures } from './measures.js'
import { Polls } from './polls.js'
import { PromptFacts, type PromptView } from './prompt-facts.js'
import { ExactCacheView } from './exact-cache-view.js'
import { Scaling, type ScaleSight } from './scaling/scaling.js'
import type { Fault, SimulationOptions } from './simulation-options.js'
import { TokenNews } from './token-news.js'
import { VirtualClock } from './virtual-clock.js'
import type { WorkloadRequest } from './workload.js'

/** First distance of two moments of the load's series. */
const LOAD_INTERVAL_MS = 1000
/** All is one pool. */
const POOL = 'sim'
const BACK_AFTER_MS = 30_000
const POLL_MS = 200
const NETWORK_MS = 1

/**
 * One run: the balancer's own belief and strategy between clients and modelled engines, in virtual time.
 */
export class Simulation {
  readonly clock = new VirtualClock()
  readonly measures = new Measures()
  readonly recorder: LoadRecorder
  readonly clients: Clients
  readonly balancer: Balancer
  readonly fleet: Fleet
  readonly counts = { sent: 0, refused: 0, preemptions: 0 }
  readonly strategy: Strategy
  readonly scaling: Scaling | undefined
  private readonly view: PromptView
  private readonly belief: Belief
  private readonly estimates = new TokenEstimates()
  private readonly toEngines: DelayLine<Flight>
  /** What the balancer will hear, one network's delay after it happened. */
  private readonly toBalancer: DelayLine<() => void>
  private readonly faults = new DueQueue<() => void>()
  private readonly flights: (Flight | undefined)[] = []
  private readonly freeKeys: number[] = []
  private readonly agenda: Agenda

  constructor(private readonly options: SimulationOptions) {
    const { nodes, workload, rate = 1, networkMs = NETWORK_MS, pollMs = POLL_MS, faults = [], beliefKind, sloTtftMs } = options
    this.belief = createBelief({ clock: this.clock, capacity: nodes.length })
    this.fleet = new Fleet(
      nodes,
      nodes.map(() => this.belief.takeRow()),
      this.engineEvents(),
    )
    this.recorder = new LoadRecorder(nodes.length, LOAD_INTERVAL_MS)
    this.clients = new Clients(workload, rate)
    this.toEngines = new DelayLine(networkMs)
    this.toBalancer = new DelayLine(networkMs)
    this.strategy = this.createStrategy()
    this.view = {
      expectOutput: (tenant) => this.estimates.output(POOL, tenant, undefined),
      ...(beliefKind === 'none' ? { mostHashes: 0 } : {}),
      sloTtftMs,
    }
    const news = new TokenNews(nodes.length, this.fleet, this.clock, networkMs)
    this.balancer = new Balancer(this.strategy, this.belief, this.fleet, news, {
      send: (flight) => this.toEngines.send(this.clock.ms, flight),
      refuse: (flight) => this.refuse(flight),
    })
    for (const fault of faults) this.faults.add(fault.atMs, () => this.strike(fault))
    this.scaling = this.createScaling()
    const polls = new Polls(nodes.length, pollMs, (node) => this.poll(node))
    this.agenda = this.createAgenda(polls)
  }

  /** Until the last answer. Throws LB_SIMULATION_STUCK when the strategy lets requests wait for nothing. */
  run(): void {
    while (!this.isOver()) {
      const source = this.agenda.next()
      if (source === undefined) return
      this.clock.ms = this.agenda.dueMs
      source.act()
    }
  }

  private createAgenda(polls: Polls): Agenda {
    const { toBalancer, toEngines, fleet, faults, clock, clients, recorder } = this
    return new Agenda([
      { nextMs: () => toBalancer.firstMs, act: () => toBalancer.take()?.() },
      { nextMs: () => toEngines.firstMs, act: () => this.arrive(toEngines.take()) },
      { nextMs: () => fleet.nextMs, act: () => fleet.work(clock.ms) },
      { nextMs: () => this.scaling?.nextMs ?? Infinity, act: () => this.scaling?.look(clock.ms) },
      { nextMs: () => faults.firstMs, act: () => faults.take()?.() },
      { nextMs: () => clock.timerMs, act: () => clock.fire() },
      { nextMs: () => clients.nextMs, act: () => this.send(clients.take()) },
      { nextMs: () => polls.nextMs, act: () => polls.act() },
      { nextMs: () => recorder.nextMs, act: () => recorder.record((node) => fleet.loadOf(node, clock.ms)) },
    ])
  }

  private createScaling(): Scaling | undefined {
    const { nodes, scale } = this.options
    if (scale === undefined) return undefined
    const { fleet, belief, balancer, clock } = this
    const end = (node: number): void => {
      fleet.crash(node, clock.ms)
      belief.forget(fleet.rowOf(node))
    }
    const effects = {
      join: (node: number) => this.restart(node),
      leave: (node: number) => balancer.nodeGone(node),
      isEmpty: (node: number) => belief.countOf(fleet.rowOf(node)) === 0,
      end,
    }
    const scaling = new Scaling(scale, nodes.length, effects, (isReady) => this.sight(isReady))
    for (const node of nodes.keys()) {
      if (scaling.isReady(node)) continue
      fleet.setLive(node, false)
      end(node)
    }
    return scaling
  }

  private sight(isReady: (node: number) => boolean): ScaleSight {
    const { fleet, belief, balancer, clock, flights, freeKeys } = this
    const sum = { waiting: 0, queuedTokens: 0, tokensInFlight: 0 }
    let [used, ready] = [0, 0]
    for (const node of fleet.engines.keys()) {
      const { waiting, prefillTokens, tokensInFlight } = belief.of({ index: fleet.rowOf(node) })
      sum.waiting += waiting
      sum.queuedTokens += prefillTokens
      sum.tokensInFlight += tokensInFlight
      if (!isReady(node)) continue
      ready++
      used += fleet.loadOf(node, clock.ms).kvUsedRatio
    }
    return { ...sum, open: flights.length - freeKeys.length, inLine: balancer.waiting, kvUsed: ready === 0 ? 0 : used / ready }
  }

  /** All is answered and nobody will ask any more. */
  private isOver(): boolean {
    const open = this.flights.length - this.freeKeys.length
    if (open === 0) return this.clients.nextMs === Infinity
    if (open === this.balancer.waiting && this.isQuiet()) throw stuck(open)
    return false
  }

  /** Nothing will happen that could make the strategy change its mind. */
  private isQuiet(): boolean {
    return Math.min(this.clients.nextMs, this.faults.firstMs, this.clock.timerMs, this.toBalancer.firstMs) === Infinity
  }

  private createStrategy(): Strategy {
    const { strategy, seed = 1, beliefKind, registry = createStrategyRegistry() } = this.options
    const belief = beliefKind === 'exact' ? new ExactCacheView(this.belief, this.fleet) : this.belief
    return registry.create(strategy.name, { settings: strategy.settings ?? {}, random: seededRandom(seed), clock: this.clock, belief })
  }

  private send(request: WorkloadRequest | undefined): void {
    if (request === undefined) return
    const key = this.freeKeys.pop() ?? this.flights.length
    const id = `r${this.counts.sent}`
    this.counts.sent++
    this.scaling?.arrived()
    if (this.counts.sent >= (this.options.maxRequests ?? Infinity)) this.clients.close()
    const facts = new PromptFacts(id, request, this.view)
    const flight = new Flight(key, request, facts, this.clock.ms)
    this.flights[key] = flight
    this.balancer.take(flight)
  }

  private arrive(flight: Flight | undefined): void {
    if (flight === undefined || this.fleet.submit(flight, this.clock.ms)) return
    this.toBalancer.send(this.clock.ms, () => this.balancer.lost(flight))
  }

  private engineEvents(): FleetEvents {
    return {
      firstToken: (key, _atMs, cachedTokens) => {
        const flight = this.flights[key]
        if (flight !== undefined) this.toBalancer.send(this.clock.ms, () => this.firstToken(flight, cachedTokens))
      },
      finished: (key) => {
        const flight = this.flights[key]
        if (flight !== undefined) this.toBalancer.send(this.clock.ms, () => this.answered(flight))
      },
      preempted: () => {
        this.counts.preemptions++
      },
    }
  }

  private firstToken(flight: Flight, cachedTokens: number): void {
    if (!flight.hasFirstToken) flight.firstTokenMs = this.clock.ms
    flight.cachedTokens = cachedTokens
    this.balancer.firstToken(flight)
  }

  private answered(flight: Flight): void {
    const { request, facts, sentMs, firstTokenMs, cachedTokens, node } = flight
    const { outputTokens } = request
    const { promptTokens, bodyBytes, tenant } = facts
    const answer = { node, sentMs, firstTokenMs, endMs: this.clock.ms, promptTokens, cachedTokens, outputTokens }
    this.measures.add(answer)
    this.scaling?.answered(answer)
    this.options.onAnswered?.(answer)
    this.estimates.learn({ pool: POOL, bodyBytes, script: undefined, tenant, usage: { promptTokens, completionTokens: outputTokens } })
    this.end(flight)
    this.clients.answered(request, this.clock.ms)
    this.balancer.answered(flight)
  }

  private refuse(flight: Flight): void {
    this.counts.refused++
    this.end(flight)
  }

  private end({ key }: Flight): void {
    this.flights[key] = undefined
    this.freeKeys.push(key)
  }

  private poll(node: number): void {
    const facts = this.fleet.loadFacts(node, this.clock.ms)
    if (facts !== undefined) this.belief.learnLoad(this.fleet.rowOf(node), facts)
  }

  private strike(fault: Fault): void {
    const { node } = fault
    const { fleet, clock } = this
    if (fault.kind === 'slow') return fleet.setSlowness(node, fault.slowness, clock.ms)
    fleet.setSlowness(node, undefined, clock.ms)
    if (fault.kind === 'recover') return this.restart(node)
    const lost = fleet.crash(node, clock.ms).flatMap((key) => this.flights[key] ?? [])
    this.toBalancer.send(clock.ms, () => {
      this.balancer.nodeGone(node)
      this.belief.forget(fleet.rowOf(node))
      for (const flight of lost) this.balancer.lost(flight)
    })
    this.faults.add(clock.ms + (fault.backAfterMs ?? BACK_AFTER_MS), () => this.restart(node))
  }

  private restart(node: number): void {
    if (!this.fleet.restart(node)) return
    this.toBalancer.send(this.clock.ms, () => this.balancer.nodeBack(node))
  }
}

function stuck(waiting: number): LbError {
  return new LbError(`The strategy lets ${waiting} requests wait although no node works and nothing will change.`, {
    code: 'LB_SIMULATION_STUCK',
    source: 'operator',
    hint: 'A strategy may answer -1 only while a node is busy that will be free later. Tell the author of the strategy.',
  })
}
