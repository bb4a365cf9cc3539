import { canaryForm, canaryPlan, hungForm, hungPlan, type CanaryPlan, type HungPlan } from './hung-plan.js'
import { formatDuration, formatPercent, parseDuration, parsePercent } from './quantities.js'
import type { TopologyInput } from './schema.js'

/** When a node is taken out by what its requests say. */
export interface EjectPlan {
  /** Failures in a row; 0: not counted so. */
  readonly after: number
  /** Of the requests within the window, 0..1; 0: not counted so. */
  readonly share: number
  readonly windowMs: number
  /** Of the pool's nodes, 0..1. */
  readonly most: number
  readonly firstMs: number
  readonly longestMs: number
  /** Times its own usual pace, over 1; 0: slowness is not judged. */
  readonly slower: number
}

/** How the nodes of a pool are judged. */
export interface HealthPlan {
  readonly intervalMs: number
  readonly fall: number
  readonly rise: number
  readonly timeoutMs: number
  /** Absent: no node is taken out by what its requests say. */
  readonly eject?: EjectPlan
  /** Absent: nobody watches for nodes that hang. */
  readonly hung?: HungPlan
  readonly canary: CanaryPlan
  /** 0: none. */
  readonly slowStartMs: number
}

type HealthInput = NonNullable<TopologyInput['pools'][string]['health']>

/** Fills in the defaults. */
export function healthPlan(input: HealthInput = {}): HealthPlan {
  const hung = hungPlan(input.hung)
  return {
    intervalMs: ms(input.interval ?? '2s'),
    fall: input.fall ?? 3,
    rise: input.rise ?? 2,
    timeoutMs: ms(input.timeout ?? '2s'),
    ...(input.eject === 'off' ? {} : { eject: ejectPlan(input.eject ?? {}) }),
    ...(hung === undefined ? {} : { hung }),
    canary: canaryPlan(input.canary),
    slowStartMs: ms(input.slowStart ?? '30s'),
  }
}

/** As the file would say it. */
export function healthForm({ intervalMs, timeoutMs, fall, rise, eject, hung, canary, slowStartMs }: HealthPlan): object {
  const asked = canaryForm(canary)
  return {
    interval: formatDuration(intervalMs),
    timeout: formatDuration(timeoutMs),
    fall,
    rise,
    eject: eject === undefined ? 'off' : ejectForm(eject),
    hung: hungForm(hung),
    ...(asked === undefined ? {} : { canary: asked }),
    slowStart: formatDuration(slowStartMs),
  }
}

function ejectPlan(input: Exclude<HealthInput['eject'], 'off' | undefined>): EjectPlan {
  return {
    after: input.after ?? 5,
    share: parsePercent(input.share ?? '50%') ?? 0,
    windowMs: ms(input.window ?? '10s'),
    most: parsePercent(input.most ?? '50%') ?? 0,
    firstMs: ms(input.first ?? '1s'),
    longestMs: ms(input.longest ?? '30s'),
    slower: input.slower ?? 2.5,
  }
}

function ejectForm({ after, share, windowMs, most, firstMs, longestMs, slower }: EjectPlan): object {
  return {
    after,
    share: formatPercent(share),
    window: formatDuration(windowMs),
    most: formatPercent(most),
    first: formatDuration(firstMs),
    longest: formatDuration(longestMs),
    slower,
  }
}

function ms(text: string): number {
  return parseDuration(text) ?? 0
}
