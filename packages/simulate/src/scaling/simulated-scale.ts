import type { ScaleFacts, ScalePlan } from '@plimsoll/core/routing'

/** How many of the nodes there are, over time. */
export type SimulatedScale =
  /** The balancer's own policy, told what it would be told in earnest. */
  | {
      readonly kind: 'follow'
      readonly plan: ScalePlan
      /** From the wish for a node to its first request. */
      readonly startMs: number
      /** There at the start; default: the plan's least. */
      readonly from?: number
      /** Between two looks; default 1000. */
      readonly lookMs?: number
      /** In the place of the balancer's policy, to compare with. */
      readonly policy?: (facts: ScaleFacts, nowMs: number) => number
    }
  /** Somebody knows what comes: so many nodes are ready at each moment, and begun so long before. In order of time; the first at 0. */
  | {
      readonly kind: 'schedule'
      readonly startMs: number
      readonly ready: readonly { readonly atMs: number; readonly nodes: number }[]
    }

/** What scaling cost and did. */
export interface ScaleResult {
  /** Of nodes that start, serve or drain, until the last session began. */
  readonly nodeSeconds: number
  readonly changes: readonly ScaleChange[]
}

export interface ScaleChange {
  readonly atMs: number
  readonly from: number
  readonly to: number
  readonly reason: string
}
