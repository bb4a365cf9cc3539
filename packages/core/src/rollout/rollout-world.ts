import type { Clock } from '../base/index.js'
import type { Backend, Logger, MetricPlugin, NodeState, PluginHost } from '../contracts/index.js'
import type { GroupChange, GroupPlan, PoolChange, PoolPlan } from '../topology/index.js'
import type { GoldenAsker, MetricFetch } from './judge/index.js'
import type { WeightsContext, WeightsFetcher } from './revisions/index.js'
import type { RolloutStatus } from './rollout-status.js'

/** One node as a rollout sees it. */
export interface RolloutNode {
  readonly id: string
  /** Name of its node group. */
  readonly group: string
  /** What its group runs as right now. */
  readonly revision: string | undefined
  readonly state: NodeState
  /** Why it is in this state, for people. */
  readonly reason: string | null
  /** Changes whenever it gets further with its start. */
  readonly progress: string
  /** Nobody starts it again by itself. */
  readonly isGivenUp: boolean
  /** Processes that ended by themselves since it was begun, and starts that failed. */
  readonly failures: number
  /** What it says it serves; empty: it does not tell. */
  readonly models: readonly string[]
  /** The name that requests to it bear; undefined: as clients say it. */
  readonly model: string | undefined
  /** Longest prompt with its answer; undefined: it does not tell. */
  readonly contextTokens: number | undefined
  /** Of all that its launch did; undefined: nothing was launched. */
  readonly launchHash: string | undefined
  readonly backend: Backend | undefined
  /** Its engine can give its accelerators back and stay. */
  readonly canSleep: boolean
}

export interface Urgency {
  /** Also where the disk refuses: clients must not wait for it. */
  readonly evenUnwritten: boolean
}

/** What the controller needs of the house, and may do in it. */
export interface RolloutWorld {
  readonly clock: Clock
  readonly log: Logger
  /** Undefined: nothing survives this balancer. */
  readonly stateDir: string | undefined
  /** For questions about weights and launches. */
  readonly weights: WeightsContext
  readonly fetcher?: WeightsFetcher
  /** As it runs. Throws LB_UNKNOWN_POOL. */
  pool(name: string): PoolPlan
  /** As the file says. Throws LB_UNKNOWN_POOL. */
  declaredPool(name: string): PoolPlan
  /** What a pool had come to before its requests were parted; undefined: it ran as declared. */
  settled(name: string): PoolChange | undefined
  /** Makes a pool so, durably; undefined: as declared. */
  change(pool: string, change: PoolChange | undefined, options?: Urgency): Promise<void>
  /** The same before the first nodes are begun. */
  prepare(pool: string, change: PoolChange | undefined, options?: Urgency): void
  /** Writes down what could not be written. Throws what the disk throws. */
  catchUp(): void
  nodes(pool: string): readonly RolloutNode[]
  /** Ids of nodes that left and still end, also those of an earlier balancer. */
  leaving(pool: string): readonly string[]
  /** Why nodes of a pool with these groups would get no place, by node id; nothing is taken. */
  refusals(pool: string, groups: readonly GroupPlan[]): Promise<ReadonlyMap<string, string>>
  /** A group with other settings, checked. Throws TopologyErrors. */
  edited(pool: string, group: GroupPlan, change: GroupChange): Promise<GroupPlan>
  /** For people and plugins. */
  tell(pool: string, message: string): void
  /** A rollout has come into another phase. */
  changed(status: RolloutStatus): void
  /** One try of a webhook; throws where nobody took it. */
  post(url: string, body: object): Promise<void>
  /** How golden prompts reach some nodes of a pool. */
  asker(pool: string, nodes: () => readonly string[]): GoldenAsker
  /** A metric of a plugin; undefined: none brings it. */
  metric(name: string): MetricPlugin | undefined
  /** For what plugins ask. */
  readonly host: PluginHost
  /** Text of a URL, for metrics. */
  readonly fetchText: MetricFetch
}
