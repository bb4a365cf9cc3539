import type { Logger } from '../contracts/index.js'
import type { Node } from '../nodes/index.js'
import type { GroupPlan, PoolChange, PoolPlan } from '../topology/index.js'
import type { NodeCounts } from './group-sight.js'
import type { ProviderContext } from './machine-provider.js'
import type { ScaleStatus } from './scale-status.js'

export interface ScalePlace {
  readonly pool: string
  readonly group: string
}

/** What scaling needs of the house, and may do in it. */
export interface ScaleWorld extends ProviderContext {
  readonly log: Logger
  /** Undefined: nothing survives this balancer. */
  readonly stateDir: string | undefined
  /** As they run. */
  pools(): readonly PoolPlan[]
  /** Throws LB_UNKNOWN_POOL. */
  pool(name: string): PoolPlan
  /** Makes a pool so, durably. */
  change(pool: string, change: PoolChange): Promise<void>
  nodes(): readonly Node[]
  /** Nodes that left the topology and still end. */
  leaving(): readonly Node[]
  countsOf(node: Node): NodeCounts
  /** Requests in line, by pool. */
  inLine(): ReadonlyMap<string, number>
  /** Who else changes the pool right now, for people: `rollout chat-4 runs`. */
  heldBy(pool: string): string | undefined
  /** Why nodes of a pool with these groups would get no place, by node id; nothing is taken. */
  refusals(pool: string, groups: readonly GroupPlan[]): Promise<ReadonlyMap<string, string>>
  /** Mean use of the accelerators of these nodes, 0..1; undefined: unknown. */
  gpuUse(nodes: readonly string[]): Promise<number | undefined>
  fetchText(url: string, signal: AbortSignal): Promise<string>
  /** How many there are and shall be, after each look. */
  measured(scales: readonly ScaleStatus[]): void
  /** A change that was made. */
  changed(place: ScalePlace, direction: 'up' | 'down'): void
  /** One that was not: what stood in its way. */
  failed(place: ScalePlace, what: 'room' | 'machines' | 'change' | 'node'): void
  /** For people and plugins. */
  tell(pool: string, message: string): void
}
