import { nodeIdOf, type PoolChange, type RolloutKind, type RolloutPlan } from '../topology/index.js'
import { changeOf, endOf, placesOf, type Ground } from './places.js'
import type { ChangedGroup, JudgeReport, RolloutPhase, RolloutSide, RolloutStatus } from './rollout-status.js'
import { sharesOf, type Stage } from './stages.js'

export type SideFacts = Omit<RolloutSide, 'nodes'>

/** Everything that must be known to go on with a rollout, or back. Plain data, kept in the journal. */
export interface RolloutRecord {
  readonly id: string
  readonly pool: string
  readonly kind: RolloutKind
  readonly phase: RolloutPhase
  readonly plan: RolloutPlan
  readonly ground: Ground
  readonly stages: readonly Stage[]
  /** The stage that is, or is being, applied; -1: none yet. */
  readonly at: number
  /** The pool as it was before. */
  readonly first: PoolChange
  readonly from: SideFacts
  readonly to: SideFacts
  /** Absent in what an earlier lb wrote down. */
  readonly groups?: readonly ChangedGroup[]
  /** Nodes that were ready when it began, and what they had launched. */
  readonly readyBefore: readonly string[]
  readonly launchHashes: Readonly<Record<string, string>>
  /** The shortest context of those; null: nobody told. */
  readonly contextBefore: number | null
  /** How often nodes had failed before it began. */
  readonly failuresBefore: Readonly<Record<string, number>>
  /** Of the old group as it would be launched, whatever the port. */
  readonly planHash: string | null
  /** Somebody wished it live: nothing is watched any more. */
  readonly isPromoted: boolean
  /** Where it is on its way back; null: it is on its way forth. */
  readonly back: { readonly outcome: 'rolled-back' | 'aborted'; readonly step: 'clearing' | 'restoring' } | null
  /** Epoch. */
  readonly startedAtMs: number
  readonly endedAtMs: number | null
  readonly reason: string | null
  /** Requests that were judged until its stage began, by whichever balancer. */
  readonly judged: { readonly canary: number; readonly baseline: number }
  /** The judge's last word. */
  readonly judge: JudgeReport | null
  readonly events: readonly { readonly atMs: number; readonly message: string }[]
}

/** What a stage of it, or its end, makes of the pool; `at` -1: as it was. */
export function stateAt(record: RolloutRecord, at: number): PoolChange {
  const stage = record.stages[at]
  if (stage === undefined) return record.first
  return { ...changeOf(record.ground, stage), ...wakeOf(record, stage) }
}

/** The pool with its present stage otherwise. */
export function withStage(record: RolloutRecord, stage: Stage): PoolChange {
  return stateAt({ ...record, stages: [stage], at: 0 }, 0)
}

export function endState(record: RolloutRecord): PoolChange {
  const { wake } = record.first
  return { ...endOf(record.ground), ...(wake === undefined ? {} : { wake }) }
}

/** No later stage is watched: what is not known at its end will not be known. */
export function isLastWatched({ stages, at }: RolloutRecord): boolean {
  return !stages.slice(at + 1).some(({ isJudged, holdMs }) => isJudged && holdMs !== undefined)
}

/** Where no node is left for a moment, requests wait for the one that comes. */
function wakeOf({ first, ground, plan }: RolloutRecord, { gone, come }: Stage): Pick<PoolChange, 'wake'> {
  const isLone = !ground.isStanding && ground.base.length === ground.pairs.length
  const isBare = isLone && gone === placesOf(ground.pairs.map(({ from }) => from)).length && come <= 1
  const wake = first.wake ?? (isBare ? { withinMs: plan.progressMs } : undefined)
  return wake === undefined ? {} : { wake }
}

/** What people are shown. */
export function statusOf(
  record: RolloutRecord,
  now: { readonly judge: JudgeReport | null; readonly stepEndsAtMs: number | null },
): RolloutStatus {
  const { id, pool, kind, phase, from, to, startedAtMs, endedAtMs, reason, events } = record
  const stage = record.stages[record.at]
  // Where too few old nodes are left, the new ones keep their share while somebody is asked.
  const isBack = record.back !== null || (phase === 'asking' && stage?.gone === 0)
  return {
    id,
    pool,
    kind,
    phase,
    from: { ...from, nodes: nodesOf(record, 'old') },
    to: { ...to, nodes: nodesOf(record, 'fresh') },
    ...(record.groups === undefined ? {} : { groups: record.groups }),
    step: stage?.step ?? 0,
    steps: sharesOf(record.stages),
    share: phase === 'promoted' ? 1 : isBack ? 0 : (stage?.share ?? 0),
    startedAtMs,
    endedAtMs,
    stepEndsAtMs: now.stepEndsAtMs,
    reason,
    judge: now.judge ?? record.judge,
    events,
  }
}

/** Ids of the nodes of one side, as its stage has them. */
export function nodesOf({ ground, phase, back, at, stages, pool }: RolloutRecord, side: 'old' | 'fresh'): readonly string[] {
  const counts = phase === 'promoted' ? undefined : { gone: 0, come: 0, ...stages[at] }
  const old = placesOf(ground.pairs.map(({ from }) => from))
  const fresh = placesOf(ground.pairs.map(({ to }) => to))
  const ids = (places: typeof old) =>
    places.filter(({ group }) => group.source === undefined).map(({ group, slot }) => nodeIdOf({ name: pool }, group, slot))
  if (side === 'old') {
    if (counts === undefined) return []
    return ids(ground.isStanding || back?.step === 'restoring' ? old : old.slice(counts.gone))
  }
  if (ground.isStanding || counts === undefined) return ids(fresh)
  return back === null ? ids(fresh.slice(0, counts.come)) : []
}

/** Ids of old nodes whose engines sleep at this stage. */
export function sleepersOf({ ground, at, stages, pool }: RolloutRecord): readonly string[] {
  if (ground.sleeps !== true) return []
  const old = placesOf(ground.pairs.map(({ from }) => from)).slice(0, stages[at]?.gone ?? 0)
  return old.map(({ group, slot }) => nodeIdOf({ name: pool }, group, slot))
}
