import { LbError } from '../errors/index.js'
import type { GroupPlan, PoolPlan } from '../topology/index.js'
import { sameJson, type Pair } from './places.js'
import { contentOf, planOf, relaunchOf, shownModel, type RevisionStore, type StoredRevision } from './revisions/index.js'
import type { RolloutWish } from './rollout-wish.js'
import type { RolloutWorld } from './rollout-world.js'

/** What goes, and what comes. */
export interface Targets {
  readonly pairs: readonly Pair[]
  readonly from: StoredRevision
  readonly to: StoredRevision
  readonly isStanding: boolean
  /** What somebody should know. */
  readonly notes: readonly string[]
}

interface TargetContext {
  readonly world: RolloutWorld
  readonly store: RevisionStore
}

/** From a wish to node groups. Throws LB_ROLLOUT_REFUSED, LB_NO_REVISION, LB_MODEL_MOVED, or TopologyErrors. */
export async function targetsOf(wish: RolloutWish, context: TargetContext): Promise<Targets> {
  const pool = context.world.pool(wish.pool)
  if (pool.groups.some(({ rests }) => rests === true))
    throw refused(
      `pool ${pool.name} rests: another one has its place, and nothing can be judged there`,
      `wake it by a request: lb ask --model ${pool.models[0] ?? pool.name} hello`,
    )
  if (wish.to !== undefined) return standing(pool, wish, wish.to, context)
  const wanted = await wantedGroups(pool, wish, context)
  const all = await Promise.all(wanted.map((each) => sidesOf(pool, each, context)))
  const sides = all.filter(({ from, to }) => from.revision !== to.revision)
  const [first] = sides
  if (first === undefined)
    throw refused(`nothing of pool ${pool.name} would change`, 'name another --model, or --set a setting to another value')
  for (const { pair } of sides) refuseTaken(pool, pair)
  return {
    pairs: sides.map(({ pair }) => pair),
    from: first.from,
    to: first.to,
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
  if (wish.revision !== undefined) {
    const stored = store.find(pool.name, wish.revision)
    const { group, note } = await relaunchOf(stored, pool, world.weights)
    // Traffic that moved from one group to another moves back to one that is not there any more.
    const isThere = pool.groups.some((each) => nameOf(each) === stored.group)
    return [{ from: runningGroup(pool, isThere ? stored.group : wish.group), plan: planOf(group), note }]
  }
  const from = runningGroup(pool, wish.group)
  if (wish.model === undefined && wish.set === undefined)
    throw refused(
      `what shall change in ${pool.name}/${nameOf(from)} is not said`,
      '--model NAME, --set launch.args.KEY=VALUE, --file lb.yaml, --to GROUP or --revision r1',
    )
  const change = { ...(wish.model === undefined ? {} : { model: wish.model }), ...(wish.set === undefined ? {} : { set: wish.set }) }
  return [{ from, plan: planOf(await world.edited(pool.name, { ...planOf(from) }, change)) }]
}

/** The running group of a declared name; undefined: the only one that can be launched anew. */
function runningGroup(pool: PoolPlan, name: string | undefined): GroupPlan {
  const able = pool.groups.filter((group) => group.source === undefined)
  const found =
    name === undefined ? (able.length === 1 ? able[0] : undefined) : able.find((group) => nameOf(group) === name || group.name === name)
  if (found !== undefined) return found
  const names = able.map(nameOf).join(', ')
  const what =
    name === undefined
      ? `pool ${pool.name} has ${able.length} node groups that could change`
      : `pool ${pool.name} has no node group ${JSON.stringify(name.slice(0, 100))} that could change`
  throw refused(what, names === '' ? 'groups whose servers a source names change where those are run' : `--group takes one of: ${names}`)
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

function refuseTaken(pool: PoolPlan, { to }: Pair): void {
  if (!pool.groups.some(({ name }) => name === to.name)) return
  throw refused(`pool ${pool.name} already has a node group ${to.name}`, 'lb status shows what runs')
}

/** As many as there are now, where the load says how many there are. */
function withSlotsOf({ launch: before }: GroupPlan, group: GroupPlan): GroupPlan {
  const { launch } = group
  if (launch === undefined || before?.slots === undefined || before.replicas !== launch.replicas) return group
  return { ...group, launch: { ...launch, slots: before.slots } }
}

/** Two groups that are there: only traffic moves. */
async function standing(pool: PoolPlan, wish: RolloutWish, name: string, { world, store }: TargetContext): Promise<Targets> {
  const to = pool.groups.find((group) => group.name === name)
  const others = pool.groups.filter((group) => group !== to)
  const from = wish.group === undefined ? (others.length === 1 ? others[0] : undefined) : others.find((group) => group.name === wish.group)
  if (to === undefined || from === undefined)
    throw refused(
      `pool ${pool.name} has no ${to === undefined ? `node group ${JSON.stringify(name.slice(0, 100))}` : 'other node group that is named'}`,
      `--group FROM --to TO take two of: ${pool.groups.map((group) => group.name).join(', ')}`,
    )
  return {
    pairs: [{ from, to }],
    from: store.note(pool.name, from, await contentOf(pool, from, world.weights)),
    to: store.note(pool.name, to, await contentOf(pool, to, world.weights)),
    isStanding: true,
    notes: [],
  }
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
