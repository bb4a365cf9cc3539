import type { RolloutRecord } from './rollout-record.js'
import { isOver, type RolloutPhase } from './rollout-status.js'
import type { RolloutVerb } from './rollout-wish.js'
import { refused } from './targets.js'

/** What people may do to one that runs; `undo` of one that runs is `abort`. */
export type RunVerb = Exclude<RolloutVerb, 'undo'>

const running = ['stepping', 'holding', 'paused', 'asking'] as const
const allowedIn: Readonly<Record<RunVerb, readonly RolloutPhase[]>> = {
  promote: running,
  pause: ['stepping', 'holding'],
  resume: ['paused', 'asking'],
  abort: ['preparing', ...running],
}

/** Throws LB_ROLLOUT_REFUSED (409). */
export function checkAllowed(verb: RunVerb, { phase, back, pool }: RolloutRecord): void {
  if (!isOver({ phase }) && back === null && allowedIn[verb].includes(phase)) return
  throw refused(`the rollout of ${pool} is ${phase}: that cannot be done now`, `lb rollout status ${pool} tells more`)
}
