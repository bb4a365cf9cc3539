import { slotsOf, type GroupPlan, type PoolChange, type PoolPlan, type SplitPlan } from '../topology/index.js'
import type { Stage } from './stages.js'

/** What one node group becomes. */
export interface Pair {
  /** As it ran when the rollout began. */
  readonly from: GroupPlan
  /** As it shall run in the end. */
  readonly to: GroupPlan
}

/** Everything that stays the same while a rollout goes its way. */
export interface Ground {
  /** The pool's groups as they were when it began. */
  readonly base: readonly GroupPlan[]
  readonly pairs: readonly Pair[]
  /** Names of both revisions. */
  readonly old: string
  readonly fresh: string
  /** Both groups are there from the start to the end: nothing is launched, only traffic moves. */
  readonly isStanding: boolean
  readonly sticky: boolean
  /** The old engine sleeps where it would be ended: there is only one, and it can. */
  readonly sleeps?: true
  readonly header?: { readonly name: string; readonly value: string }
}

/** One replica of one group. */
export interface Place {
  readonly group: GroupPlan
  readonly slot: number
}

/** Places of one side, in the order in which they go or come. */
export function placesOf(groups: readonly GroupPlan[]): readonly Place[] {
  return groups.flatMap((group) => slotsOf(group).map((slot) => ({ group, slot })))
}

/** The pool as a stage wants it. */
export function changeOf(ground: Ground, stage: Stage): PoolChange {
  const { base, pairs, old, fresh, isStanding, sleeps } = ground
  const stays = placesOf(pairs.map(({ from }) => from)).slice(isStanding ? 0 : stage.gone)
  const there = placesOf(pairs.map(({ to }) => to)).slice(0, isStanding ? undefined : stage.come)
  const standing = isStanding ? pairs.map(({ to }) => to.name) : []
  const groups = base.flatMap((group) => {
    const pair = pairs.find(({ from }) => from.name === group.name)
    if (pair === undefined) return standing.includes(group.name) ? [] : [{ ...group, revision: old }]
    const left = only(pair.from, stays)
    return [
      ...left.map((each) => ({ ...each, revision: old })),
      ...(sleeps === true && left.length === 0 ? [{ ...pair.from, revision: old, rests: true as const }] : []),
      ...only(pair.to, there).map((each) => ({ ...each, revision: fresh })),
    ]
  })
  return { groups: groups.length > 0 ? groups : emptied(ground), split: splitOf(ground, stage) }
}

/** How it is in the end: the new groups in the place of the old ones, and nothing parted. */
export function endOf({ base, pairs }: Ground): PoolChange {
  const standing = pairs.map(({ to }) => to.name)
  const groups = base.flatMap((group) => {
    const pair = pairs.find(({ from }) => from.name === group.name)
    if (pair !== undefined) return [pair.to]
    return standing.includes(group.name) ? [] : [group]
  })
  return { groups }
}

/** A pool must have a group, also for the moment in which it has no node. */
function emptied({ pairs, fresh }: Ground): readonly GroupPlan[] {
  return pairs.flatMap(({ to }) => (to.launch === undefined ? [] : [{ ...to, revision: fresh, launch: { ...to.launch, slots: [] } }]))
}

/** The part of a group whose places are among those; none where there are none. */
function only(group: GroupPlan, places: readonly Place[]): readonly GroupPlan[] {
  if (group.source !== undefined) return [group]
  const slots = places.filter((place) => place.group === group).map(({ slot }) => slot)
  if (slots.length === 0) return []
  return group.launch === undefined || slots.length === slotsOf(group).length ? [group] : [{ ...group, launch: { ...group.launch, slots } }]
}

function splitOf({ old, fresh, sticky, header }: Ground, { share, come, shadowShare, isJudged }: Stage): SplitPlan {
  return {
    sides: [
      { revision: old, share: 1 - share },
      { revision: fresh, share },
    ],
    sticky,
    ...(header === undefined || come === 0 ? {} : { header: { name: header.name, values: { [header.value]: fresh } } }),
    ...(shadowShare === undefined || shadowShare === 0 ? {} : { shadow: { revision: fresh, share: shadowShare, maxInFlight: SHADOWS } }),
    watch: isJudged,
  }
}

/** Copies at one moment in each data thread: they must never be what slows a pool down. */
const SHADOWS = 16

/** Whether a running pool is as a change wants it. */
export function isAs(pool: Pick<PoolPlan, 'groups' | 'split'>, { groups, split }: PoolChange): boolean {
  return sameJson(pool.groups, groups) && sameJson(pool.split ?? null, split ?? null)
}

/** Whether a change leaves a pool as the file says. */
export function isDeclared({ groups, split, wake }: PoolChange, declared: PoolPlan): boolean {
  return split === undefined && sameJson(groups, declared.groups) && (wake === undefined || sameJson(wake, declared.wake))
}

/** Plans are plain data that has been through JSON: keys that are undefined do not count, their order does not either. */
export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  )
}
