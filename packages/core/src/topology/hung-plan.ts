import { formatDuration, parseDuration } from './quantities.js'
import type { TopologyInput } from './schema.js'

/** When a node counts as hung. */
export interface HungPlan {
  /** Silence over work that nothing explains. */
  readonly afterMs: number
  /** A launched engine that hangs for so long is restarted; 0: never. */
  readonly restartAfterMs: number
}

/** Requests of one token that lb sends by itself. */
export interface CanaryPlan {
  readonly nodes: 'launched' | 'all' | 'none'
  /** To every ready node so often; 0: only where there is doubt. */
  readonly everyMs: number
  readonly withinMs: number
}

type HealthInput = NonNullable<TopologyInput['pools'][string]['health']>

/** Undefined: nobody watches for it. */
export function hungPlan(input: HealthInput['hung'] = {}): HungPlan | undefined {
  if (input === 'off') return undefined
  const { after = '8s', restartAfter = '60s' } = input
  return { afterMs: ms(after), restartAfterMs: ms(restartAfter) }
}

export function canaryPlan(input: HealthInput['canary']): CanaryPlan {
  const { every = 'off', within = '5s' } = typeof input === 'object' ? input : {}
  const nodes = input === undefined ? 'launched' : input === false ? 'none' : 'all'
  return { nodes, everyMs: ms(every), withinMs: ms(within) }
}

export function hungForm(plan: HungPlan | undefined): object | 'off' {
  if (plan === undefined) return 'off'
  return { after: formatDuration(plan.afterMs), restartAfter: orOff(plan.restartAfterMs) }
}

export function canaryForm({ nodes, everyMs, withinMs }: CanaryPlan): object | boolean | undefined {
  if (nodes === 'all') return { every: orOff(everyMs), within: formatDuration(withinMs) }
  return nodes === 'none' ? false : undefined
}

function orOff(duration: number): string {
  return duration === 0 ? 'off' : formatDuration(duration)
}

/** `off` is 0. */
function ms(text: string): number {
  return parseDuration(text) ?? 0
}
