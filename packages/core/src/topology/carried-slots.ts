import type { PoolChange } from './with-changes.js'
import type { GroupPlan, PoolPlan } from './topology.js'

/**
 * A pool that is declared anew keeps as many replicas of each group that follows its load as run now, within the new bounds: an edit of the file must not take
 * nodes away under their requests. Undefined where it runs as declared anyway.
 */
export function carriedSlots(declared: PoolPlan, running: readonly GroupPlan[]): PoolChange | undefined {
  const groups = declared.groups.map((group) => withSlotsOf(group, running))
  return groups.some((group, at) => group !== declared.groups[at]) ? { groups } : undefined
}

function withSlotsOf(group: GroupPlan, running: readonly GroupPlan[]): GroupPlan {
  const { launch } = group
  if (launch?.scale === undefined) return group
  const { min, max } = launch.scale
  const base = group.revisionOf ?? group.name
  // Of all its revisions: while one takes over from another, both have some.
  const own = running.filter(({ name, revisionOf }) => (revisionOf ?? name) === base)
  const now = [...new Set(own.flatMap(({ launch: its }) => its?.slots ?? []))]
  if (own.every(({ launch: its }) => its?.slots === undefined)) return group
  const kept = now.filter((slot) => slot < max)
  const free = Array.from({ length: max }, (_, slot) => slot).filter((slot) => !kept.includes(slot))
  const slots = [...kept, ...free.slice(0, Math.max(0, min - kept.length))].toSorted((one, other) => one - other)
  return sameSlots(slots, launch.slots ?? []) ? group : { ...group, launch: { ...launch, slots } }
}

function sameSlots(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((slot, at) => slot === other[at])
}
