import type { NodeState, RequestRecord } from '../contracts/index.js'
import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import { MetricRegistry } from './metric-registry.js'
import { tpotMsOf } from './record-times.js'

/** What a scrape asks of one node. */
export interface NodeReading {
  readonly id: string
  readonly pool: string
  readonly state: NodeState
  readonly inFlight: number
  readonly waiting: number
  readonly tokensInFlight: number
  readonly restarts: number
}

const nodeStates: readonly NodeState[] = ['declared', 'starting', 'loading', 'warming', 'ready', 'suspect', 'draining', 'stopped', 'failed']

/** The metrics of one balancer: fed by settled requests, completed by a reading of all nodes at each scrape. */
export class GatewayMetrics {
  /** For rooms and plugins that bring families of their own. */
  readonly registry = new MetricRegistry()
  private readonly build = this.registry.gauge(declared.buildInfo)
  private readonly requests = this.registry.counter(declared.requests)
  private readonly attempts = this.registry.counter(declared.attempts)
  private readonly gatewayRequests = this.registry.counter(declared.gatewayRequests)
  private readonly ttft = this.registry.histogram(declared.ttft)
  private readonly interToken = this.registry.histogram(declared.interToken)
  private readonly duration = this.registry.histogram(declared.duration)
  private readonly tokens = this.registry.counter(declared.tokens)
  private readonly inFlight = this.registry.gauge(declared.nodeInFlight)
  private readonly waiting = this.registry.gauge(declared.nodeWaiting)
  private readonly tokensInFlight = this.registry.gauge(declared.nodeTokensInFlight)
  private readonly state = this.registry.gauge(declared.nodeState)
  private readonly restarts = this.registry.counter(declared.nodeRestarts)

  constructor(private readonly source: { readonly version: string; readonly nodes: () => Iterable<NodeReading> }) {
    this.build.with({ version: source.version }).set(1)
  }

  /** Takes in one settled request; call it once for each. */
  settle(record: RequestRecord): void {
    const place = { pool: record.pool ?? 'none', node: record.node ?? 'none' }
    this.requests.with({ ...place, outcome: record.outcome }).add()
    this.gatewayRequests.with({ code: String(record.status) }).add()
    for (const attempt of record.attempts) this.attempts.with({ outcome: attempt.outcome }).add()
    this.duration.with(place).observe(record.totalMs / 1000)
    const tpotMs = tpotMsOf(record)
    if (record.ttftMs !== null) this.ttft.with(place).observe(record.ttftMs / 1000)
    if (tpotMs !== null) this.interToken.with(place).observe(tpotMs / 1000)
    this.tokens.with({ ...place, kind: 'prompt' }).add(record.promptTokens)
    this.tokens.with({ ...place, kind: 'completion' }).add(record.completionTokens)
    if (record.cachedTokens !== null) this.tokens.with({ ...place, kind: 'cached' }).add(record.cachedTokens)
  }

  /** The text of `/metrics`. Node families are read anew, so that a node that is gone leaves the scrape. */
  render(): string {
    for (const family of [this.inFlight, this.waiting, this.tokensInFlight, this.state, this.restarts]) family.clear()
    for (const node of this.source.nodes()) this.read(node)
    return this.registry.render()
  }

  private read({ pool, id: node, ...reading }: NodeReading): void {
    const place = { pool, node }
    this.inFlight.with(place).set(reading.inFlight)
    this.waiting.with(place).set(reading.waiting)
    this.tokensInFlight.with(place).set(reading.tokensInFlight)
    this.restarts.with(place).add(reading.restarts)
    for (const state of nodeStates) this.state.with({ ...place, state }).set(state === reading.state ? 1 : 0)
  }
}
