import type { ScaleStatus } from '../autoscale/index.js'
import type { RequestRecord } from '../contracts/index.js'
import type { ResidencyStatus } from '../residency/index.js'
import type { JudgeReport, RevisionEntry, RolloutStatus, RolloutVerb, RolloutWish } from '../rollout/index.js'
import type { Topology } from '../topology/index.js'
import type { NodeModels } from './models.js'
import type { BalancerEvent, BalancerStatus, QuarantinedStatus } from './status.js'
import type { Why } from './why.js'

export interface StopRequest {
  /** How long running requests may take to end; undefined = the topology's own. */
  readonly drainMs?: number
  /** Cut what is running. */
  readonly force?: boolean
  /** Leave the engines running. */
  readonly leaveEngines?: boolean
}

/** Secrets are references in both. */
export interface Topologies {
  /** As the file said when it was read last. */
  readonly declared: Topology
  /** With what rollouts and scale have changed since. */
  readonly running: Topology
}

/** What the control API may ask of the balancer. Node actions throw an LbError for an unknown node or a move its state does not allow. */
export interface ControlActions {
  /** `fresh`: waits a little for new figures of the accelerators. */
  status(fresh: boolean): BalancerStatus | Promise<BalancerStatus>
  topologies(): Topologies
  metrics(): string
  /** What each node serves, asked of the engines now. */
  models(): Promise<readonly NodeModels[]>
  /** The newest records, newest first. */
  requests(limit: number): readonly RequestRecord[]
  /** How a request found its node. Undefined: nothing is known of it. */
  why(requestId: string): Why | undefined
  /** The newest requests whose choice was traced, newest first. */
  traced(limit: number): readonly Why[]
  /** Requests that are refused because engines crashed on them. */
  quarantine(): readonly QuarantinedStatus[]
  /** Lets one of them through; false where none has this fingerprint. */
  lift(fingerprint: string): boolean
  drain(nodeId: string): Promise<void> | void
  resume(nodeId: string): Promise<void> | void
  restart(nodeId: string): Promise<void> | void
  /** Of all pools or of one, newest first. Throws LB_UNKNOWN_POOL. */
  rollouts(pool?: string): readonly RolloutStatus[]
  startRollout(wish: RolloutWish): Promise<RolloutStatus>
  actOnRollout(pool: string, verb: RolloutVerb): Promise<RolloutStatus>
  compareRollout(pool: string): JudgeReport
  /** Newest first. Throws LB_UNKNOWN_POOL. */
  revisions(pool: string): readonly RevisionEntry[]
  scale(pool: string, replicas: number, group?: string): Promise<ScaleStatus>
  scales(): readonly ScaleStatus[]
  unload(pool: string): Promise<ResidencyStatus>
  residency(): readonly ResidencyStatus[]
  /** Begins to stop and returns; the socket closes when done. */
  stop(request: StopRequest): void
  /** Recent events, oldest first. */
  recentEvents(): readonly BalancerEvent[]
  /** Returns the function that ends the subscription. */
  onEvent(listener: (event: BalancerEvent) => void): () => void
}
