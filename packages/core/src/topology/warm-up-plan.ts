import { formatDuration, parseDuration } from './quantities.js'
import type { TopologyInput } from './schema.js'

/** What a new node of a group is sent before clients may send it anything. */
export interface WarmUpPlan {
  /** At most so many, 1 to 16. */
  readonly prompts: number
  /** However many of them it has computed by then. */
  readonly withinMs: number
}

type NodeInput = TopologyInput['pools'][string]['nodes'][number]

/** Undefined: it is not warmed. A server that somebody else runs is sent nothing unasked. */
export function warmUpPlan({ warmUp, launch }: Pick<NodeInput, 'warmUp' | 'launch'>): WarmUpPlan | undefined {
  if (warmUp === undefined ? launch === undefined : warmUp === false) return undefined
  const { prompts = 16, within = '10s' } = typeof warmUp === 'object' ? warmUp : {}
  return { prompts, withinMs: parseDuration(within) ?? 0 }
}

/** As the file would say it. */
export function warmUpForm({ prompts, withinMs }: WarmUpPlan): object {
  return { prompts, within: formatDuration(withinMs) }
}
