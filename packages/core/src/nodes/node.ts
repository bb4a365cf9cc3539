import type { Clock } from '../base/index.js'
import type { Backend, HeaderView, NodeState, ProbeReport, UpstreamTarget } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { ProcessIdentity } from '../machines/index.js'
import type { NodePlan } from './node-plan.js'
import { transitions, type NodeEvent } from './transitions.js'

export interface NodeChange {
  readonly node: Node
  readonly from: NodeState
  readonly to: NodeState
  readonly reason: string | null
}

/** What runs behind a node right now. */
export interface NodeEndpoint {
  readonly url: string
  readonly target: UpstreamTarget
  readonly backend: Backend
  /** Headers that carry the node's key. */
  readonly authHeaders: HeaderView
  readonly process?: ProcessIdentity
  readonly mark: string
  readonly logPath?: string
}

/** One node: its state and facts. The only writer of its state; everybody else asks it to `move`. */
export class Node {
  private current: NodeState = 'declared'
  private why: string | null = null
  private changedAtMs: number
  private at: NodeEndpoint | undefined
  /** Counts lives of the endpoint, so that pooled sockets of a dead one are not reused. */
  incarnation = 0
  /** Whether this life of the endpoint has been ready. */
  wasReady = false
  restarts = 0
  version: string | null = null
  models: readonly string[] = []
  progress: number | null = null

  constructor(
    /** Row in the shared counters. */
    readonly index: number,
    public plan: NodePlan,
    private readonly clock: Clock,
    private readonly onChange: (change: NodeChange) => void,
  ) {
    this.changedAtMs = clock.epochMs()
  }

  get id(): string {
    return this.plan.id
  }

  get state(): NodeState {
    return this.current
  }

  get reason(): string | null {
    return this.why
  }

  get sinceMs(): number {
    return this.changedAtMs
  }

  get endpoint(): NodeEndpoint | undefined {
    return this.at
  }

  /** A new life behind the same name. */
  setEndpoint(endpoint: NodeEndpoint): void {
    this.incarnation += 1
    this.wasReady = false
    this.at = endpoint
    this.progress = null
  }

  /** Throws LB_BUG for a move that the table does not list. Announces a change of state or of its reason. */
  move(event: NodeEvent, reason: string | null = null): void {
    const from = this.current
    const to = transitions[from][event]
    if (to === undefined) throw new LbError(`node ${this.id}: no move \`${event}\` from state ${from}`, { code: 'LB_BUG', source: 'lb' })
    if (event === 'steady') this.wasReady = true
    const said = to === from && reason === null ? this.why : to === 'ready' ? null : reason
    if (to === from && said === this.why) return
    this.why = said
    if (to !== from) this.changedAtMs = this.clock.epochMs()
    this.current = to
    this.onChange({ node: this, from, to, reason: said })
  }

  /** Keeps what a probe told besides its verdict. */
  learn(report: ProbeReport): void {
    if (report.verdict === 'ready') {
      this.models = report.models ?? this.models
      this.version = report.version ?? this.version
    }
    this.progress = report.verdict === 'loading' ? (report.progress ?? null) : null
  }
}
