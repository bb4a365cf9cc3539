import type { AttemptRecord, LoadFacts, NodeState, RequestRecord } from '../contracts/index.js'
import { BeliefMetrics, type BeliefReading } from './belief-metrics.js'
import { EjectionMetrics, type EjectionReading } from './ejection-metrics.js'
import { EngineLoadMetrics } from './engine-load-metrics.js'
import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import { RetryMetrics, type BudgetReading } from './retry-metrics.js'
import { SourceMetrics, type SourceReading } from './source-metrics.js'
import { MetricRegistry } from './metric-registry.js'
import type { Counter, Histogram } from './metric-series.js'
import { tpotMsOf } from './record-times.js'
import { WarmUpMetrics, type WarmUpReading } from './warm-up-metrics.js'
import { WatchdogMetrics, type WatchdogReading } from './watchdog-metrics.js'

/** What a scrape asks of one node. */
export interface NodeReading {
  readonly id: string
  readonly pool: string
  readonly state: NodeState
  readonly inFlight: number
  readonly waiting: number
  readonly tokensInFlight: number
  readonly restarts: number
  /** What its engine last told of its load, and how long ago. */
  readonly load?: LoadFacts
  readonly loadAgeMs?: number
  readonly belief?: BeliefReading
  readonly watchdog?: WatchdogReading | undefined
  readonly ejections?: EjectionReading
  readonly warmUps?: WarmUpReading
}

export interface MetricsSource {
  readonly version: string
  readonly nodes: () => Iterable<NodeReading>
  /** Memory of all mirrors of prefix caches. */
  readonly mirrorBytes?: () => number
  readonly sources?: () => Iterable<SourceReading>
  /** Requests in line, by pool. */
  readonly inLine?: () => Iterable<readonly [pool: string, size: number]>
  /** Requests that make engines crash, and those that may be such. */
  readonly quarantine?: () => { readonly bodies: number; readonly suspects: number }
  /** What was spent on tries in vain, by pool. */
  readonly budgets?: () => Iterable<readonly [pool: string, budget: BudgetReading]>
  /** What strategies say of themselves. */
  readonly strategies?: () => Iterable<{
    readonly pool: string
    readonly strategy: string
    readonly values: Readonly<Record<string, number>>
  }>
}

const nodeStates: readonly NodeState[] = [
  'declared',
  'starting',
  'loading',
  'warming',
  'ready',
  'suspect',
  'draining',
  'asleep',
  'stopped',
  'failed',
]

const spliceResults: Readonly<Partial<Record<AttemptRecord['outcome'], string>>> = {
  answered: 'whole',
  cut: 'cut',
  cancelled: 'client-gone',
}

/** The metrics of one balancer: fed by settled requests, completed by a reading of all nodes at each scrape. */
export class GatewayMetrics {
  /** For rooms and plugins that bring families of their own. */
  readonly registry = new MetricRegistry()
  private readonly build = this.registry.gauge(declared.buildInfo)
  private readonly requests = this.registry.counter(declared.requests)
  private readonly attempts = this.registry.counter(declared.attempts)
  private readonly collected = this.registry.counter(declared.collected)
  private readonly splices = this.registry.counter(declared.splices)
  private readonly lateReleases = this.registry.counter(declared.lateReleases)
  private readonly gatewayRequests = this.registry.counter(declared.gatewayRequests)
  private readonly ttft = this.registry.histogram(declared.ttft)
  private readonly interToken = this.registry.histogram(declared.interToken)
  private readonly duration = this.registry.histogram(declared.duration)
  private readonly tokens = this.registry.counter(declared.tokens)
  private readonly timeInLine = this.registry.histogram(declared.timeInLine)
  private readonly inLine = this.registry.gauge(declared.inLine)
  private readonly strategyReport = this.registry.gauge(declared.strategyReport)
  private readonly quarantined = this.registry.gauge(declared.quarantined)
  private readonly suspects = this.registry.gauge(declared.crashSuspects)
  private readonly inFlight = this.registry.gauge(declared.nodeInFlight)
  private readonly waiting = this.registry.gauge(declared.nodeWaiting)
  private readonly tokensInFlight = this.registry.gauge(declared.nodeTokensInFlight)
  private readonly state = this.registry.gauge(declared.nodeState)
  private readonly restarts = this.registry.counter(declared.nodeRestarts)
  private readonly ejections = new EjectionMetrics(this.registry)
  private readonly watchdog = new WatchdogMetrics(this.registry)
  private readonly warmUps = new WarmUpMetrics(this.registry)
  private readonly engineLoad = new EngineLoadMetrics(this.registry)
  private readonly belief = new BeliefMetrics(this.registry)

  private readonly sources = new SourceMetrics(this.registry)
  private readonly retries = new RetryMetrics(this.registry)

  private readonly readers: (() => void)[] = []
  private readonly places = new Map<string, Place>()
  private readonly byCode = new Map<string, Counter>()
  private readonly byAttempt = new Map<string, Counter>()

  constructor(private readonly source: MetricsSource) {
    this.build.with({ version: source.version }).set(1)
  }

  /** Takes in one settled request; call it once for each. */
  settle(record: RequestRecord): void {
    const place = this.placeOf(record.pool ?? 'none', record.node ?? 'none')
    place.outcome(record.outcome).add()
    this.counterOf(this.byCode, String(record.status), (code) => this.gatewayRequests.with({ code })).add()
    for (const attempt of record.attempts) this.attempt(record.pool ?? 'none', attempt)
    if (record.attempts.length > 1 || record.attempts[0]?.inVain === true) this.retries.settle(record)
    place.duration.observe(record.totalMs / 1000)
    if (record.inLineMs > 0) this.timeInLine.with({ pool: record.pool ?? 'none' }).observe(record.inLineMs / 1000)
    const tpotMs = tpotMsOf(record)
    if (record.ttftMs !== null) place.ttft().observe(record.ttftMs / 1000)
    if (tpotMs !== null) place.interToken().observe(tpotMs / 1000)
    place.tokens('prompt').add(record.promptTokens)
    place.tokens('completion').add(record.completionTokens)
    if (record.cachedTokens !== null) place.tokens('cached').add(record.cachedTokens)
    if (record.believed !== undefined) this.belief.settle(record, record.believed)
  }

  private attempt(pool: string, { outcome, collected, late, continues: grade }: AttemptRecord): void {
    this.counterOf(this.byAttempt, outcome, () => this.attempts.with({ outcome })).add()
    if (collected === true) this.collected.with({ pool }).add()
    if (grade !== undefined) this.splices.with({ pool, grade, result: spliceResults[outcome] ?? 'failed' }).add()
    if (late === true) this.lateReleases.with({ pool }).add()
  }

  /** Forgets what was counted of nodes that are gone: a scrape must not grow with those that come and go. */
  retainNodes(ids: ReadonlySet<string>): void {
    const before = this.places.size
    for (const key of this.places.keys()) {
      const node = key.slice(key.indexOf('\n') + 1)
      if (node !== 'none' && !ids.has(node)) this.places.delete(key)
    }
    if (this.places.size === before) return
    this.belief.retainNodes(ids)
    for (const family of [this.requests, this.ttft, this.interToken, this.duration, this.tokens]) family.retain('node', ids)
  }

  /** What other rooms tell is read anew at each scrape, too. */
  onScrape(read: () => void): void {
    this.readers.push(read)
  }

  /** The text of `/metrics`. Node families are read anew, so that a node that is gone leaves the scrape. */
  render(): string {
    for (const family of [this.inFlight, this.waiting, this.tokensInFlight, this.state, this.restarts]) family.clear()
    this.engineLoad.clear()
    this.belief.clear()
    this.ejections.clear()
    this.watchdog.clear()
    this.warmUps.clear()
    for (const node of this.source.nodes()) this.read(node)
    if (this.source.mirrorBytes !== undefined) this.belief.readBytes(this.source.mirrorBytes())
    this.sources.read(this.source.sources?.() ?? [])
    this.inLine.clear()
    for (const [pool, size] of this.source.inLine?.() ?? []) this.inLine.with({ pool }).set(size)
    const found = this.source.quarantine?.()
    if (found !== undefined) this.quarantined.with({}).set(found.bodies)
    if (found !== undefined) this.suspects.with({}).set(found.suspects)
    this.retries.read(this.source.budgets?.() ?? [])
    this.strategyReport.clear()
    for (const { pool, strategy, values } of this.source.strategies?.() ?? [])
      for (const [name, value] of Object.entries(values)) this.strategyReport.with({ pool, strategy, name }).set(value)
    for (const read of this.readers) read()
    return this.registry.render()
  }

  private read({ pool, id: node, ...reading }: NodeReading): void {
    const place = { pool, node }
    this.inFlight.with(place).set(reading.inFlight)
    this.waiting.with(place).set(reading.waiting)
    this.tokensInFlight.with(place).set(reading.tokensInFlight)
    this.restarts.with(place).add(reading.restarts)
    if (reading.belief !== undefined) this.belief.read(place, reading.belief)
    if (reading.ejections !== undefined) this.ejections.read(place, reading.ejections)
    if (reading.watchdog !== undefined) this.watchdog.read(place, reading.watchdog)
    if (reading.warmUps !== undefined) this.warmUps.read(place, reading.warmUps)
    if (reading.load !== undefined) this.engineLoad.read(place, reading.load, reading.loadAgeMs ?? 0)
    for (const state of nodeStates) this.state.with({ ...place, state }).set(state === reading.state ? 1 : 0)
  }

  /** The series of one place, looked up once: building label keys for each request would cost more than counting it. */
  private placeOf(pool: string, node: string): Place {
    const key = `${pool}\n${node}`
    let place = this.places.get(key)
    if (place === undefined) {
      if (this.places.size >= MOST_PLACES) this.places.clear()
      const labels = { pool, node }
      place = {
        duration: this.duration.with(labels),
        ttft: once(() => this.ttft.with(labels)),
        interToken: once(() => this.interToken.with(labels)),
        outcome: remembered((outcome) => this.requests.with({ ...labels, outcome })),
        tokens: remembered((kind) => this.tokens.with({ ...labels, kind })),
      }
      this.places.set(key, place)
    }
    return place
  }

  private counterOf(known: Map<string, Counter>, name: string, make: (name: string) => Counter): Counter {
    let counter = known.get(name)
    if (counter === undefined) known.set(name, (counter = make(name)))
    return counter
  }
}

const MOST_PLACES = 10_000

/** Series of one pool and node; made at first use, so that what never happened is not shown. */
interface Place {
  readonly duration: Histogram
  readonly ttft: () => Histogram
  readonly interToken: () => Histogram
  readonly outcome: (outcome: string) => Counter
  readonly tokens: (kind: string) => Counter
}

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined
  return () => (made ??= make())
}

function remembered<Value>(make: (name: string) => Value): (name: string) => Value {
  const known = new Map<string, Value>()
  return (name) => {
    let value = known.get(name)
    if (value === undefined) known.set(name, (value = make(name)))
    return value
  }
}
