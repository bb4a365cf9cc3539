import type { ScalePlan } from '../../topology/index.js'
import type { Need } from './needs.js'
import type { ScaleDecision } from './scale-decision.js'
import type { ScaleFacts } from './scale-facts.js'
import type { ScaleMemory } from './scale-memory.js'
import { count, duration } from './words.js'

/** A change that was taken back within this time was one too many. */
const FLAP_MS = 600_000
const FLAPS_COUNT_MS = 3_600_000
/** After each of them fewer nodes wait twice as long, at most so many times. */
const MOST_DOUBLINGS = 2

interface Moment {
  readonly facts: ScaleFacts
  readonly plan: ScalePlan
  readonly memory: ScaleMemory
  readonly nowMs: number
  /** Fewer there never shall be, whatever was just changed. */
  readonly floor: number
  /** Nobody has asked for anything for so long that all may rest. */
  readonly isIdle: boolean
}

/** What is asked for now, held against what was asked for before. */
export function steadied(asked: Need, moment: Moment): ScaleDecision {
  const { facts, plan, memory, nowMs, floor, isIdle } = moment
  const { replicas: current } = facts
  const downAfterMs = downPatience(memory, plan, nowMs)
  memory.askedSinceMs ??= nowMs
  const seenForMs = nowMs - memory.askedSinceMs
  memory.mostAsked.add(nowMs, asked.replicas, plan.downAfterMs * 2 ** MOST_DOUBLINGS)
  memory.leastAsked.add(nowMs, asked.replicas, plan.upAfterMs)
  if (facts.held !== undefined) return { wanted: current, reason: `stays as it is: ${facts.held}` }
  if (asked.replicas === current) return { wanted: current, reason: asked.why }
  if (floor > current || (current === 0 && asked.replicas > 0)) return changed(moment, Math.max(floor, 1), asked.why)
  if (asked.replicas === 0 && isIdle) return changed(moment, 0, asked.why)
  const least = seenForMs >= plan.upAfterMs ? memory.leastAsked.since(nowMs - plan.upAfterMs) : current
  const most = seenForMs >= downAfterMs ? memory.mostAsked.since(nowMs - downAfterMs) : current
  const wanted = least !== undefined && least > current ? least : Math.min(most ?? current, current)
  if (wanted === current) return { wanted, reason: held(asked, current, asked.replicas > current ? plan.upAfterMs : downAfterMs) }
  const restMs = (memory.changes.at(-1)?.atMs ?? -Infinity) + plan.cooldownMs - nowMs
  if (restMs > 0)
    return { wanted: current, reason: `${asked.why}; ${count(wanted, 'node')} in ${duration(restMs)}, for there was a change just now` }
  return changed(moment, wanted, asked.why)
}

function held({ replicas, why }: Need, current: number, forMs: number): string {
  if (replicas > current) return `${why}; ${count(replicas, 'node')} once that lasts for ${duration(forMs)}`
  return `${why}; ${count(replicas, 'node')} would do, and ${current} stay until that has lasted for ${duration(forMs)}`
}

function changed({ facts, memory, nowMs }: Moment, wanted: number, reason: string): ScaleDecision {
  memory.changes = [
    ...memory.changes.filter(({ atMs }) => atMs > nowMs - FLAPS_COUNT_MS),
    { atMs: nowMs, from: facts.replicas, to: wanted },
  ]
  return { wanted, reason }
}

/** Whoever has taken a change back too soon is slower to take nodes away for a while. */
function downPatience({ changes }: ScaleMemory, { downAfterMs }: ScalePlan, nowMs: number): number {
  const recent = changes.filter(({ atMs }) => atMs > nowMs - FLAPS_COUNT_MS)
  const flaps = recent.filter(({ atMs, from, to }, at) => {
    const before = recent[at - 1]
    return before !== undefined && atMs - before.atMs < FLAP_MS && to > from && before.to < before.from
  })
  return downAfterMs * 2 ** Math.min(MOST_DOUBLINGS, flaps.length)
}
