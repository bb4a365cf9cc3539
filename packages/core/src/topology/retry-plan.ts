import { formatDuration, formatPercent, parseDuration, parsePercent } from './quantities.js'
import type { TopologyInput } from './schema.js'

/** When a request whose node failed is sent again, and how long one waits for a node. */
export interface RetryPlan {
  /** Times that a request is sent again, before its first content; 0: never. */
  readonly max: number
  /** After arrival; no try begins later. */
  readonly withinMs: number
  /** Longest wait for a node while all are down, on cooldown or tried. */
  readonly waitMs: number
  /** The same while one loads. */
  readonly loadingMs: number
  readonly pause: { readonly firstMs: number; readonly longestMs: number }
  readonly budget: { /** Of the requests of the last 10 s, over 0. */ readonly share: number; readonly floor: number }
  /** Absent: never two tries at once. */
  readonly hedge?: HedgePlan
}

/** When a second node is asked while the first still has time. */
export interface HedgePlan {
  readonly after: { /** 0..1, of the first tokens of its kind. */ readonly quantile: number } | { readonly ms: number }
  /** Of all requests, 0..1. */
  readonly most: number
}

type RetriesInput = NonNullable<TopologyInput['pools'][string]['retries']>

/** Fills in the defaults. */
export function retryPlan(input: RetriesInput = {}): RetryPlan {
  const hedge = hedgePlan(input.hedge)
  return {
    max: input.max ?? 8,
    withinMs: ms(input.within ?? '5m'),
    waitMs: ms(input.wait ?? '9s'),
    loadingMs: ms(input.loading ?? '30s'),
    pause: { firstMs: ms(input.pause?.first ?? '100ms'), longestMs: ms(input.pause?.longest ?? '2s') },
    budget: { share: parsePercent(input.budget ?? '20%') ?? 0, floor: input.floor ?? 50 },
    ...(hedge === undefined ? {} : { hedge }),
  }
}

/** As the file would say it. */
export function retryForm(plan: RetryPlan): object {
  return {
    max: plan.max,
    within: formatDuration(plan.withinMs),
    wait: formatDuration(plan.waitMs),
    loading: formatDuration(plan.loadingMs),
    pause: { first: formatDuration(plan.pause.firstMs), longest: formatDuration(plan.pause.longestMs) },
    budget: formatPercent(plan.budget.share),
    floor: plan.budget.floor,
    hedge: plan.hedge === undefined ? 'off' : hedgeForm(plan.hedge),
  }
}

function hedgePlan(input: RetriesInput['hedge']): HedgePlan | undefined {
  if (input === undefined || input === 'off') return undefined
  const after = input.after ?? '95%'
  const quantile = parsePercent(after)
  return { after: quantile === undefined ? { ms: ms(after) } : { quantile }, most: parsePercent(input.most ?? '5%') ?? 0 }
}

function hedgeForm({ after, most }: HedgePlan): object {
  return { after: 'ms' in after ? formatDuration(after.ms) : formatPercent(after.quantile), most: formatPercent(most) }
}

function ms(text: string): number {
  return parseDuration(text) ?? 0
}
