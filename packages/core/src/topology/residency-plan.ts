import { formatDuration, parseDuration } from './quantities.js'
import type { TopologyInput } from './schema.js'

/** How the engines of a pool share accelerators with those of other pools. */
export interface ResidencyPlan {
  /** Without requests for so long they make room by themselves; absent: only when another pool wants it. */
  readonly idleUnloadMs?: number
  /** Once awake they stay so long, whatever others want. */
  readonly minResidentMs: number
  /** What it costs to put them to rest, against other pools. */
  readonly evictCost: number
  /** How long a request waits for them to be awake. */
  readonly wakeWithinMs: number
}

type ResidencyInput = NonNullable<TopologyInput['pools'][string]['residency']>

/** Fills in the defaults. */
export function residencyPlan(input: ResidencyInput): ResidencyPlan {
  return {
    ...(input.idleUnload === undefined ? {} : { idleUnloadMs: ms(input.idleUnload) }),
    minResidentMs: ms(input.minResident ?? '30s'),
    evictCost: input.evictCost ?? 1,
    wakeWithinMs: ms(input.wakeWithin ?? '5m'),
  }
}

/** As the file would say it. */
export function residencyForm({ idleUnloadMs, minResidentMs, evictCost, wakeWithinMs }: ResidencyPlan): object {
  return {
    ...(idleUnloadMs === undefined ? {} : { idleUnload: formatDuration(idleUnloadMs) }),
    minResident: formatDuration(minResidentMs),
    evictCost,
    wakeWithin: formatDuration(wakeWithinMs),
  }
}

function ms(text: string): number {
  return parseDuration(text) ?? 0
}
