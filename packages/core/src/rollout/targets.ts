import { LbError } from '../errors/index.js'
import { knownNames, nodeIdOf, nodeIdsOf, type GroupPlan, type PoolPlan, type ScalePlan } from '../topology/index.js'
import { placesOf, sameJson, type Pair } from './places.js'
import { contentOf, planOf, relaunchOf, shownModel, type RevisionStore, type StoredRevision } from './revisions/index.js'
import type { ChangedGroup } from './rollout-status.js'
import type { RolloutWish } from './rollout-wish.js'
import type { RolloutWorld } from './rollout-world.js'

/** What goes, and what comes. */
export interface Targets {
  readonly pairs: readonly Pair[]
  readonly from: StoredRevision
  readonly to: StoredRevision
  readonly groups: readonly ChangedGroup[]
  readonly isStanding: boolean
  /** What somebody should know. */
  readonly notes: readonly string[]
}

interface TargetContext {
  readonly world: RolloutWorld
  readonly store: RevisionStore
}

/** From a wish to node groups. Throws LB_ROLLOUT_REFUSED, LB_UNKNOWN_GROUP, LB_NO_REVISION, LB_MODEL_MOVED, or TopologyErrors. */
export async function targetsOf(wish: RolloutWish, context: TargetContext): Promise<Targets> {
  const pool = context.world.pool(wish.pool)
  if (pool.groups.some(({ rests }) => rests === true))
    throw refused(
      `pool ${pool.name} rests: another one has its place, and nothing can be judged there`,
      `wake it by a request: lb ask --model ${pool.models[0] ?? pool.name} hello`,
    )
  if (wish.to !== undefined && pool.groups.some(({ name }) => name === wish.to)) return standing(pool, wish, wish.to, context)
  const wanted = await wantedGroups(pool, wish, context)
  const all = await Promise.all(wanted.map((each) => sidesOf(pool, each, context)))
  const sides = all.filter(({ from, to }) => from.revision !== to.revision)
  const [first] = sides
  if (first === undefined)
    throw refused(`nothing of pool ${pool.name} would change`, 'name another --model, or --set a setting to another value')
  for (const { pair } of sides) refuseTaken(pool, pair)
  if (placesOf(sides.map(({ pair }) => pair.from)).length === 0)
    throw refused(
      `no node of pool ${pool.name} runs right now, and nothing can be judged there`,
      `wake one by a request: lb ask --model ${pool.models[0] ?? pool.name} hello`,
    )
  return {
    pairs: sides.map(({ pair }) => pair),
    from: first.from,
    to: first.to,
    groups: sides.map(({ from, to }) => ({ group: to.group, from: from.revision, to: to.revision })),
    isStanding: false,
    notes: wanted.flatMap(({ note }) => note ?? []),
  }
}

interface Wanted {
  /** As it runs. */
  readonly from: GroupPlan
  /** As it shall be, under its declared name. */
  readonly plan: GroupPlan
  readonly note?: string | null
}

async function wantedGroups(pool: PoolPlan, wish: RolloutWish, { world, store }: TargetContext): Promise<readonly Wanted[]> {
  if (wish.groups !== undefined) {
    // Whoever may talk to the balancer may have made them up.
    const edited = async (group: GroupPlan): Promise<Wanted> => {
      const from = runningGroup(pool, group.name)
      return { from, plan: planOf(await world.edited(pool.name, group, {})) }
    }
    return Promise.all(wish.groups.map(edited))
  }
  const back = wish.revision === undefined ? wish.revisions : [{ group: wish.group, revision: wish.revision }]
  if (back !== undefined) {
    const before = async (each: { readonly group: string | undefined; readonly revision: string }): Promise<Wanted> => {
      const stored = store.find(pool.name, each.revision)
      const { group, note } = await relaunchOf(stored, pool, world.weights)
      // Traffic that moved from one group to another moves back to one that is not there any more.
      const isThere = pool.groups.some((other) => nameOf(other) === stored.group)
      return { from: runningGroup(pool, isThere ? stored.group : each.group), plan: planOf(group), note }
    }
    return Promise.all(back.map(before))
  }
  if (wish.to !== undefined) return [absent(pool, wish, wish.to, world)]
  const from = runningGroup(pool, wish.group)
  if (wish.model === undefined && wish.set === undefined)
    throw refused(
      `what shall change in ${pool.name}/${nameOf(from)} is not said`,
      '--model NAME, --set launch.args.KEY=VALUE, --file lb.yaml, --to GROUP or --revision r1',
    )
  const change = { ...(wish.model === undefined ? {} : { model: wish.model }), ...(wish.set === undefined ? {} : { set: wish.set }) }
  return [{ from, plan: planOf(await world.edited(pool.name, { ...planOf(from) }, change)) }]
}

/** Traffic once moved away from a group that the file still has: it comes back beside the one that runs. */
function absent(pool: PoolPlan, { group }: RolloutWish, name: string, world: RolloutWorld): Wanted {
  const plan = world.declaredPool(pool.name).groups.find((each) => each.name === name && each.source === undefined)
  if (plan !== undefined) return { from: runningGroup(pool, group), plan: planOf(plan) }
  const known = pool.groups.map((each) => each.name)
  throw unknownGroup(`pool ${pool.name} has no node group ${JSON.stringify(name.slice(0, 100))}`, name, known)
}

/** The running group of a declared name; undefined: the only one that can be launched anew. */
function runningGroup(pool: PoolPlan, name: string | undefined): GroupPlan {
  const able = pool.groups.filter((group) => group.source === undefined)
  const found =
    name === undefined ? (able.length === 1 ? able[0] : undefined) : able.find((group) => nameOf(group) === name || group.name === name)
  if (found !== undefined) return found
  const names = able.map(nameOf)
  if (name !== undefined)
    throw unknownGroup(`pool ${pool.name} has no node group ${JSON.stringify(name.slice(0, 100))} that could change`, name, names)
  throw refused(
    `pool ${pool.name} has ${able.length} node groups that could change`,
    names.length === 0 ? 'groups whose servers a source names change where those are run' : `--group takes one of: ${names.join(', ')}`,
  )
}

function unknownGroup(message: string, name: string, known: readonly string[]): LbError {
  const hint = known.length === 0 ? 'lb status shows what runs' : knownNames(name, known)
  return new LbError(message, { code: 'LB_UNKNOWN_GROUP', source: 'operator', httpStatus: 404, hint })
}

function nameOf({ name, revisionOf }: GroupPlan): string {
  return revisionOf ?? name
}

/** Both revisions with their numbers, and the group under the name that it has while both are there. */
async function sidesOf(
  pool: PoolPlan,
  { from, plan }: Wanted,
  { world, store }: TargetContext,
): Promise<{ readonly pair: Pair; readonly from: StoredRevision; readonly to: StoredRevision }> {
  // What its weights were when it was launched is not what they are now.
  const old = store.note(pool.name, from, null)
  const noted = store.note(pool.name, plan, await contentOf(pool, plan, world.weights))
  const declared = world.declaredPool(pool.name).groups.find(({ name }) => name === plan.name)
  const scaled = withSlotsOf(from, plan)
  const isDeclared = declared !== undefined && from.name !== plan.name && sameJson(planOf(declared), plan)
  const to = isDeclared
    ? withSlotsOf(from, declared)
    : { ...scaled, name: `${plan.name}-${noted.revision}`, revision: noted.revision, revisionOf: plan.name }
  return { pair: { from, to }, from: old, to: noted }
}

/** `gpu-r2`, or a node of it, may be another group's. */
function refuseTaken(pool: PoolPlan, { to }: Pair): void {
  const ids = placesOf([to]).map(({ group, slot }) => nodeIdOf(pool, group, slot))
  const taken = pool.groups.find((group) => group.name === to.name || nodeIdsOf(pool, group).some((id) => ids.includes(id)))
  if (taken === undefined) return
  throw refused(`pool ${pool.name} already has a node group ${taken.name}`, 'lb status shows what runs')
}

/** As many as there are now, where the load says how many there are, or somebody did. */
function withSlotsOf({ launch: before }: GroupPlan, group: GroupPlan): GroupPlan {
  const { launch } = group
  if (launch === undefined) return group
  if (launch.scale !== undefined) return { ...group, launch: { ...launch, slots: slotsWithin(launch.scale, before) } }
  return before?.slots === undefined || before.replicas !== launch.replicas
    ? group
    : { ...group, launch: { ...launch, slots: before.slots } }
}

/** The numbers that there are, within new bounds: none would be all that there may be. */
function slotsWithin({ min, max }: ScalePlan, before: GroupPlan['launch']): readonly number[] {
  const all = Array.from({ length: max }, (_, slot) => slot)
  const now = before?.slots ?? all.slice(0, before?.replicas ?? min)
  const kept = now.filter((slot) => slot < max)
  const more = all.filter((slot) => !kept.includes(slot)).slice(0, Math.max(0, min - kept.length))
  return [...kept, ...more].toSorted((one, other) => one - other)
}

/** Two groups that are there: only traffic moves. */
async function standing(pool: PoolPlan, wish: RolloutWish, name: string, { world, store }: TargetContext): Promise<Targets> {
  const to = pool.groups.find((group) => group.name === name)
  const others = pool.groups.filter((group) => group !== to)
  const from = wish.group === undefined ? (others.length === 1 ? others[0] : undefined) : others.find((group) => group.name === wish.group)
  const names = pool.groups.map((group) => group.name)
  if (to === undefined) throw unknownGroup(`pool ${pool.name} has no node group ${JSON.stringify(name.slice(0, 100))}`, name, names)
  if (from === undefined)
    throw refused(
      `which node group of pool ${pool.name} hands its traffic to ${name} is not said`,
      `--group FROM --to TO take two of: ${names.join(', ')}`,
    )
  const [old, fresh] = [
    store.note(pool.name, from, await contentOf(pool, from, world.weights)),
    store.note(pool.name, to, await contentOf(pool, to, world.weights)),
  ]
  const groups = [{ group: fresh.group, from: old.revision, to: fresh.revision }]
  return { pairs: [{ from, to }], from: old, to: fresh, groups, isStanding: true, notes: [] }
}

/** What a side is called for people. */
export function sideOf({ revision, hash, plan }: StoredRevision): {
  readonly revision: string
  readonly hash: string
  readonly model: string
} {
  return { revision, hash, model: shownModel(plan) }
}

export function refused(message: string, hint: string): LbError {
  return new LbError(message, { code: 'LB_ROLLOUT_REFUSED', source: 'operator', httpStatus: 409, hint })
}
