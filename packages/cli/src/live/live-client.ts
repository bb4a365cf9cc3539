import type { BalancerEvent, BalancerStatus, RolloutStatus, RolloutVerb, StopRequest, WhyJson } from '@plimsoll/core'

/** What the live view needs of a balancer, wherever it runs. Every call may reject; the view shows why and goes on. */
export interface LiveClient {
  status(): Promise<BalancerStatus>
  /** Recent events, then each new one; settles when the stream ends or the signal aborts. The view calls again a second later. */
  events(onEvent: (event: BalancerEvent) => void, signal: AbortSignal): Promise<void>
  /** The newest requests whose decisions were kept, newest first. */
  traced(limit: number): Promise<readonly WhyJson[]>
  drain(nodeId: string): Promise<void>
  resume(nodeId: string): Promise<void>
  restart(nodeId: string): Promise<void>
  /** Resolves with what is known of the rollout then. */
  actOnRollout(pool: string, verb: RolloutVerb): Promise<RolloutStatus>
  /** Begins to stop. The view takes the stop as done when `status()` begins to reject. */
  stop(request: StopRequest): Promise<void>
  /** File with the node's output on this machine; undefined where there is none, as for attached and remote nodes. */
  logPath(nodeId: string): string | undefined
}

export type LiveMode = 'up' | 'top'

/** `stop`: the balancer was asked to stop and is gone. `leave`: it keeps running. `closed`: the terminal went away. */
export type LiveEnd = 'stop' | 'leave' | 'closed'
