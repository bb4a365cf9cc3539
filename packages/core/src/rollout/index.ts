/**
 * Takes new revisions live, watches them, and takes them back. Refuses to know how nodes are launched or requests routed: it says which groups a pool has
 * and how its requests are parted, and reads what came of it.
 * Read first: rollout-status.ts, then stages.ts and run.ts.
 */
export {
  isOver,
  type FigureVerdict,
  type JudgeFigure,
  type JudgeReport,
  type RolloutPhase,
  type RolloutSide,
  type RolloutStatus,
} from './rollout-status.js'
export type { RolloutVerb, RolloutWish } from './rollout-wish.js'
export type { RevisionEntry, RolloutDesk } from './rollout-desk.js'
export type { GoldenAsker } from './judge/index.js'
export type { RolloutNode, RolloutWorld } from './rollout-world.js'
export type { WeightsFetcher } from './revisions/index.js'
export { Rollouts } from './rollouts.js'
