import type { ScalePlan } from '../../topology/index.js'
import { needsOf, reliedOn, type Need } from './needs.js'
import type { ScaleDecision } from './scale-decision.js'
import type { ScaleFacts } from './scale-facts.js'
import type { ScaleMemory } from './scale-memory.js'
import { steadied } from './steadied.js'
import { count, duration } from './words.js'

/**
 * How many replicas a group shall have now. Pure but for its memory: the same looks lead to the same decisions. More replicas are wanted as soon as more were
 * asked for all the time of `upAfter`; fewer once fewer sufficed all the time of `downAfter`.
 */
export function wantedReplicas(facts: ScaleFacts, plan: ScalePlan, memory: ScaleMemory, nowMs: number): ScaleDecision {
  memory.learn(facts, plan, nowMs)
  const floor = floorOf(facts, plan)
  const idle = isIdle(facts, memory, { plan, nowMs })
  const rests = floor.replicas === 0 && (idle || (facts.replicas === 0 && facts.open === 0))
  const asked = atLeast(strongest(needsOf(facts, plan, memory, rests)), leastOf(facts, memory, { floor, plan, nowMs }))
  const bounded = atMost(asked, facts, plan)
  return steadied(bounded, {
    facts,
    plan,
    memory,
    nowMs,
    floor: Math.min(floor.replicas, plan.max),
    isIdle: idle,
  })
}

function strongest(needs: readonly Need[]): Need {
  const [first = { replicas: 0, why: 'nothing asks for nodes' }, ...others] = needs
  return others.reduce((most, each) => (each.replicas > most.replicas ? each : most), first)
}

/** What holds whatever the load is. */
function floorOf({ floor, scheduled }: ScaleFacts, { min }: ScalePlan): Need {
  const most = Math.max(min, floor, scheduled)
  if (most === 0) return { replicas: 0, why: 'it may rest wholly' }
  if (most === min) return { replicas: min, why: `never fewer than ${min}` }
  return most === scheduled
    ? { replicas: most, why: `at least ${most} at this time of day` }
    : { replicas: most, why: `at least ${most}, as asked with \`lb scale\`` }
}

interface At {
  readonly plan: ScalePlan
  readonly nowMs: number
}

function isIdle({ open, arrivals }: ScaleFacts, { busyAtMs }: ScaleMemory, { plan, nowMs }: At): boolean {
  return open === 0 && arrivals === 0 && nowMs - (busyAtMs ?? nowMs) >= plan.idleMs
}

/** The floor; one node where somebody waits, or has asked not long ago. */
function leastOf(facts: ScaleFacts, memory: ScaleMemory, at: At & { readonly floor: Need }): Need {
  if (at.floor.replicas > 0) return at.floor
  if (reliedOn(facts) > 0) return { replicas: 0, why: 'the other nodes of the pool bear what comes' }
  if (facts.open > 0) return { replicas: 1, why: `${count(facts.open, 'request')} ${facts.open === 1 ? 'is' : 'are'} there` }
  if (facts.replicas === 0) return { replicas: 0, why: 'no requests come' }
  if (isIdle(facts, memory, at)) return { replicas: 0, why: `no requests for ${duration(at.plan.idleMs)}` }
  return {
    replicas: 1,
    why: `a request came ${duration(at.nowMs - (memory.busyAtMs ?? at.nowMs))} ago; it rests after ${duration(at.plan.idleMs)}`,
  }
}

function atLeast(need: Need, least: Need): Need {
  return need.replicas >= least.replicas && need.replicas > 0 ? need : least
}

function atMost(need: Need, { room }: ScaleFacts, { max }: ScalePlan): Need {
  if (room !== undefined && room.replicas < Math.min(need.replicas, max))
    return { replicas: room.replicas, why: `${need.why}; ${need.replicas} would be wanted, and ${room.why}` }
  if (need.replicas <= max) return need
  return { replicas: max, why: `${need.why}; ${need.replicas} would be wanted, and ${max} is the most` }
}
