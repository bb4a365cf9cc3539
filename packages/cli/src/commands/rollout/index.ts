/**
 * Owns the commands of rollouts, as a part of the table of commands. Refuses to know how a rollout goes: that is the balancer's.
 * Read first: start.ts.
 */
import RolloutAbort from './abort.js'
import RolloutCompare from './compare.js'
import RolloutHistory from './history.js'
import RolloutPause from './pause.js'
import RolloutPromote from './promote.js'
import RolloutResume from './resume.js'
import RolloutStart from './start.js'
import RolloutStatus from './status.js'
import RolloutUndo from './undo.js'
import RolloutWatch from './watch.js'

export const rolloutCommands = {
  'rollout:abort': RolloutAbort,
  'rollout:compare': RolloutCompare,
  'rollout:history': RolloutHistory,
  'rollout:pause': RolloutPause,
  'rollout:promote': RolloutPromote,
  'rollout:resume': RolloutResume,
  'rollout:start': RolloutStart,
  'rollout:status': RolloutStatus,
  'rollout:undo': RolloutUndo,
  'rollout:watch': RolloutWatch,
}
