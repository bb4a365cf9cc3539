import type { RolloutKind } from '../topology/index.js'

/**
 * One desired state on the way from the old revision to the new one. Places are numbered: old ones go in order, new ones come in order, so that two
 * numbers say which there are.
 */
export interface Stage {
  /** Old places that are gone. */
  readonly gone: number
  /** New places that there are. */
  readonly come: number
  /** Of traffic, to the new revision. */
  readonly share: number
  /** From 1, which of the plan's steps this belongs to; 0 before the first. */
  readonly step: number
  /** How long it is watched once its nodes are ready; absent: it is only a way to the next. */
  readonly holdMs?: number
  /** The judge has a word in it. */
  readonly isJudged: boolean
  /** It stays until somebody promotes or aborts. */
  readonly isLasting?: boolean
  /** Copies of requests, in the place of requests. */
  readonly shadowShare?: number
}

/** How many places there are, and how far from that number it may go. */
export interface Limits {
  /** Places of the old revision, and of the new one. */
  readonly old: number
  readonly fresh: number
  /** More places than there were, at one moment. */
  readonly surge: number
  /** Fewer places than there were. */
  readonly unavailable: number
}

export interface StageWish {
  readonly kind: RolloutKind
  readonly steps: readonly number[]
  readonly holdMs: number
  readonly keepOldMs: number
}

type Counts = Pick<Stage, 'gone' | 'come'>

/** The states that a rollout goes through; in the last one the new revision has all. Empty: within these limits there is no way. */
export function stagesOf(wish: StageWish, limits: Limits): readonly Stage[] {
  const made = makers[wish.kind](wish, limits)
  const last = made.at(-1)
  const isThere = last?.gone === limits.old && last.come === limits.fresh
  return isThere ? made : []
}

/** Shares of traffic, one for each step that is watched. */
export function sharesOf(stages: readonly Stage[]): readonly number[] {
  const count = Math.max(0, ...stages.map(({ step }) => step))
  return Array.from({ length: count }, (_, at) => stages.find(({ step, holdMs }) => step === at + 1 && holdMs !== undefined)?.share ?? 1)
}

/** How many new places a share of the traffic needs. */
export function placesFor(share: number, fresh: number): number {
  return Math.min(fresh, Math.max(1, Math.ceil(share * fresh - 1e-9)))
}

const makers: Readonly<Record<RolloutKind, (wish: StageWish, limits: Limits) => readonly Stage[]>> = {
  rolling: nodeByNode,
  'in-place': placeByPlace,
  canary: byShares,
  split: lasting,
  shadow: shadowed,
  'blue-green': switched,
}

/** Node by node: each new one is watched with what of the old there is beside it. */
function nodeByNode({ holdMs }: StageWish, limits: Limits): readonly Stage[] {
  const stages: Stage[] = []
  let step = 0
  for (const counts of wayTo({ gone: limits.old, come: limits.fresh }, { gone: 0, come: 0 }, limits)) {
    const isMore = counts.come > (stages.at(-1)?.come ?? 0)
    if (isMore) step += 1
    stages.push({ ...counts, share: shareOf(counts, limits), step, isJudged: true, ...(isMore ? { holdMs } : {}) })
  }
  return stages
}

/** One place after the other is emptied and filled again. Where there is only one, the old revision is watched alone first: there is no other time for that. */
function placeByPlace(wish: StageWish, limits: Limits): readonly Stage[] {
  const stages = nodeByNode(wish, { ...limits, surge: 0, unavailable: 1 })
  return limits.old > 1 ? stages : [{ gone: 0, come: 0, share: 0, step: 0, isJudged: true, holdMs: wish.holdMs }, ...stages]
}

function byShares(wish: StageWish, limits: Limits): readonly Stage[] {
  const stages: Stage[] = []
  for (const [at, share] of wish.steps.entries()) {
    const part = toShare(share, at + 1, { wish, limits, before: stages.at(-1) })
    if (part.length === 0) return []
    stages.push(...part)
  }
  return [...stages, ...theRest(stages.at(-1), limits)]
}

function lasting(wish: StageWish, limits: Limits): readonly Stage[] {
  const stages = toShare(wish.steps[0] ?? 0.5, 1, { wish, limits, before: undefined })
  return stages.length === 0 ? [] : [...asLasting(stages), ...theRest(stages.at(-1), limits)]
}

/** Copies go to as many new nodes as their share needs and there is room for: the old ones have all of the traffic, and none of them makes room. */
function shadowed({ steps, holdMs }: StageWish, limits: Limits): readonly Stage[] {
  const shadowShare = steps[0] ?? 1
  const come = Math.min(placesFor(shadowShare, limits.fresh), mostOf(limits) - limits.old)
  if (come < 1) return []
  const stage = { gone: 0, come, share: 0, shadowShare, step: 1, isJudged: true, holdMs, isLasting: true }
  return [stage, ...theRest(stage, limits)]
}

/** A second set, watched in the dark; one switch; the old set is kept for a while. */
function switched({ holdMs, keepOldMs }: StageWish, limits: Limits): readonly Stage[] {
  if (limits.surge < limits.fresh) return []
  const both = { gone: 0, come: limits.fresh, isJudged: true }
  const kept = keepOldMs > 0 ? [{ ...both, share: 1, step: 2, holdMs: keepOldMs }] : []
  return [
    { ...both, share: 0, step: 0, holdMs },
    { ...both, share: 1, step: 1, holdMs },
    ...kept,
    { gone: limits.old, come: limits.fresh, share: 1, step: kept.length + 1, isJudged: false },
  ]
}

interface ShareWay {
  readonly wish: StageWish
  readonly limits: Limits
  readonly before: Stage | undefined
}

/** Brings as many new places as a share needs, and takes as many old ones as must make room for them. Empty: there is no way. */
function toShare(share: number, step: number, { wish, limits, before }: ShareWay): readonly Stage[] {
  const from = before ?? { gone: 0, come: 0 }
  // While both have traffic, there is one of each at least.
  const room = share < 1 ? mostOf(limits) - 1 : mostOf(limits)
  const come = Math.max(from.come, Math.min(room, placesFor(share, limits.fresh)))
  const gone = Math.max(from.gone, limits.old + come - mostOf(limits))
  if (come === 0) return []
  const way = wayTo({ gone, come }, from, limits)
  const end = way.at(-1) ?? from
  if (end.gone !== gone || end.come !== come) return []
  const held = { gone, come, share, step, isJudged: true, holdMs: wish.holdMs }
  const moves = way.slice(0, -1).map((counts) => ({
    ...counts,
    share: counts.gone === limits.old ? 1 : (before?.share ?? 0),
    step: before?.step ?? 0,
    isJudged: before !== undefined,
  }))
  return [...moves, held]
}

function asLasting(stages: readonly Stage[]): readonly Stage[] {
  return stages.map((stage, at) => (at === stages.length - 1 ? { ...stage, isLasting: true } : stage))
}

/** What remains to be done when nothing is to be watched any more. */
function theRest(from: Stage | undefined, limits: Limits): readonly Stage[] {
  const step = from?.step ?? 0
  return wayTo({ gone: limits.old, come: limits.fresh }, from ?? { gone: 0, come: 0 }, limits).map((counts) => ({
    ...counts,
    share: Math.max(from?.share ?? 0, shareOf(counts, limits)),
    step,
    isJudged: false,
  }))
}

/**
 * States between two, each of which adds or takes away: a place is added once those that were taken away have ended, and taken away once those that were
 * added are ready. So there are never fewer that serve, nor more that run, than the limits say.
 */
function wayTo(to: Counts, from: Counts, limits: Limits): readonly Counts[] {
  const way: Counts[] = []
  let { gone, come } = from
  while (gone < to.gone || come < to.come) {
    const more = Math.min(to.come, mostOf(limits) - (limits.old - gone))
    const fewer = Math.min(to.gone, limits.old + Math.max(come, more) - leastOf(limits))
    if (more <= come && fewer <= gone) return way
    if (more > come) way.push({ gone, come: more })
    come = Math.max(come, more)
    if (fewer > gone) way.push({ gone: fewer, come })
    gone = Math.max(gone, fewer)
  }
  return way
}

/** Places that there may be at one moment. */
export function mostOf({ old, fresh, surge }: Limits): number {
  return Math.max(old, fresh) + surge
}

/** Places that must serve at each moment. */
export function leastOf({ old, fresh, unavailable }: Limits): number {
  return Math.max(0, Math.min(old, fresh) - unavailable)
}

/** Each place takes as much as any other. */
function shareOf({ gone, come }: Counts, { old }: Limits): number {
  const all = old - gone + come
  return all === 0 ? 0 : come / all
}
