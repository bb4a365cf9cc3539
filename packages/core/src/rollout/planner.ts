import { LbError } from '../errors/index.js'
import { nodeIdOf, type RolloutKind, type RolloutPlan } from '../topology/index.js'
import { changeOf, placesOf, type Ground } from './places.js'
import type { RolloutWorld } from './rollout-world.js'
import { stagesOf, type Limits, type Stage } from './stages.js'

export interface PlannedRollout {
  readonly kind: RolloutKind
  readonly stages: readonly Stage[]
  /** What somebody should know of the choice; null: it is as wished. */
  readonly note: string | null
}

/** How many more places there is room for, and why there are no more. */
export interface Room {
  readonly places: number
  readonly why: string | null
}

interface PlannerWish {
  readonly ground: Ground
  readonly plan: RolloutPlan
  /** Pool, for node ids. */
  readonly pool: string
}

/** Which way it goes, by what there is room for. Throws LB_ROLLOUT_IMPOSSIBLE (422) with the reason. */
export async function planRollout(wish: PlannerWish, world: Pick<RolloutWorld, 'refusals'>): Promise<PlannedRollout> {
  const { ground, plan } = wish
  const { kind } = plan
  const room = await roomFor(mostWanted(wish), wish, world)
  if (kind !== undefined) return { ...inKind(kind, wish, room), note: null }
  const chosen = chosenKind(ground, plan, room)
  const note = chosen === 'in-place' ? `in-place, because there is no room for one more: ${room.why ?? 'maxSurge is 0'}` : null
  return { ...inKind(chosen, wish, room), note }
}

/** By shares where there is room for one of each, else one place after the other. */
function chosenKind(ground: Ground, plan: RolloutPlan, room: Room): RolloutKind {
  if (ground.isStanding || (room.places > 0 && plan.maxSurge > 0)) return 'canary'
  return 'in-place'
}

/** The stages of one kind. Throws LB_ROLLOUT_IMPOSSIBLE (422). */
function inKind(kind: RolloutKind, { ground, plan, pool }: PlannerWish, room: Room): Omit<PlannedRollout, 'note'> {
  const stages = stagesOf({ ...plan, kind, steps: stepsOf(kind, plan) }, limitsOf(kind, ground, plan, room))
  if (stages.length > 0 && !(kind === 'in-place' && ground.isStanding)) return { kind, stages }
  throw impossible(kind, { ground, plan, pool }, room)
}

export function limitsOf(kind: RolloutKind, ground: Ground, plan: Pick<RolloutPlan, 'maxSurge' | 'maxUnavailable'>, room: Room): Limits {
  const old = placesOf(ground.pairs.map(({ from }) => from)).length
  const fresh = placesOf(ground.pairs.map(({ to }) => to)).length
  const surge = kind === 'blue-green' ? room.places : Math.min(plan.maxSurge, room.places)
  return { old, fresh, surge, unavailable: plan.maxUnavailable }
}

/** A step beyond what was planned: the last of a canary is all, of the lasting kinds there is one. */
function stepsOf(kind: RolloutKind, { steps }: RolloutPlan): readonly number[] {
  if (kind === 'split' || kind === 'shadow') return [steps.find((share) => share > 0 && share < 1) ?? (kind === 'shadow' ? 1 : 0.5)]
  const growing = steps.filter((share) => share > 0 && share < 1)
  return [...growing, 1]
}

/** More than are wished at one moment need no room. */
function mostWanted({ ground, plan }: PlannerWish): number {
  const fresh = placesOf(ground.pairs.map(({ to }) => to)).length
  return plan.kind === 'blue-green' ? fresh : Math.min(fresh, Math.max(1, plan.maxSurge))
}

/** Asks for as many as are wished, then for fewer. */
async function roomFor(wanted: number, { ground, pool }: PlannerWish, world: Pick<RolloutWorld, 'refusals'>): Promise<Room> {
  const fresh = placesOf(ground.pairs.map(({ to }) => to))
  // Nothing is launched: it is there, or its server has both.
  if (ground.isStanding || fresh.every(({ group }) => group.launch === undefined)) return { places: fresh.length, why: null }
  let why: string | null = null
  for (let places = wanted; places > 0; places -= 1) {
    const stage = { gone: 0, come: places, share: 0, step: 0, isJudged: false }
    const refusals = await world.refusals(pool, changeOf(ground, stage).groups)
    const coming = fresh.slice(0, places).map(({ group, slot }) => nodeIdOf({ name: pool }, group, slot))
    const refused = coming.flatMap((id) => refusals.get(id) ?? [])
    if (refused.length === 0) return { places, why }
    why = refused[0] ?? null
  }
  return { places: 0, why }
}

function impossible(kind: RolloutKind, { ground, pool }: PlannerWish, { places, why }: Room): LbError {
  const because = why === null ? '' : `: ${why}`
  const needs: Readonly<Record<RolloutKind, string>> = {
    rolling: `there is room for no more node${because}, and none may be missing`,
    canary: `two revisions cannot run side by side${because}`,
    split: `two revisions cannot run side by side${because}`,
    shadow: `two revisions cannot run side by side${because}`,
    'blue-green': `a second set of nodes has no room: ${places} more would have${because}`,
    'in-place': 'nothing is launched there: both groups run already',
  }
  const hint = ground.isStanding
    ? '--kind canary moves the traffic by shares'
    : kind === 'in-place'
      ? '--kind canary moves the traffic by shares'
      : '--kind in-place drains one node at a time and starts the new one in its place'
  return new LbError(`pool ${pool} cannot be rolled out as ${kind}: ${needs[kind]}`, {
    code: 'LB_ROLLOUT_IMPOSSIBLE',
    source: 'operator',
    httpStatus: 422,
    hint,
  })
}
