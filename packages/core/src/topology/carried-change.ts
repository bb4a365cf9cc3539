import { isDeepStrictEqual } from '../base/index.js'
import { carriedSlots } from './carried-slots.js'
import { essenceOf } from './diff-topologies.js'
import type { GroupPlan, LaunchSettings, PoolPlan } from './topology.js'
import type { PoolChange } from './with-changes.js'

/**
 * What stays of a pool's change where its node groups are declared anew. What the file now says otherwise counts; what it says as before stays as it runs: a
 * revision that went live is not taken back by an edit of another group, or of a weight. A file that says at last what runs already restarts nothing.
 * Undefined where it runs as declared. `settled`: the last change before requests were parted. `isSaidAnew`: what the nodes of this group are made of is not what the file said when the change was made.
 */
export function carriedChange(
  declared: PoolPlan,
  { change, settled }: { readonly change: PoolChange; readonly settled?: PoolChange | undefined },
  isSaidAnew: (group: GroupPlan) => boolean,
): PoolChange | undefined {
  const { groups: running, split } = change
  if (split !== undefined) {
    // A rollout is over with the declaration that it changed: what went live before it stays.
    const before = settled === undefined ? undefined : carriedChange(declared, { change: settled }, isSaidAnew)
    return carriedSlots({ ...declared, groups: before?.groups ?? declared.groups }, running) ?? before
  }
  const groups = declared.groups.flatMap((group) => groupsOf(group, running, isSaidAnew(group)))
  const pool = { ...declared, groups: groups.length === 0 ? declared.groups : groups }
  const carried = carriedSlots(pool, running)?.groups ?? pool.groups
  const kept = declared.residency === undefined ? carried.map(({ rests: _rests, ...group }) => group) : carried
  return isDeepStrictEqual(kept, declared.groups) ? undefined : { groups: kept }
}

function groupsOf(group: GroupPlan, running: readonly GroupPlan[], isSaidAnew: boolean): readonly GroupPlan[] {
  const own = running.filter(({ name, revisionOf }) => (revisionOf ?? name) === group.name)
  const [live] = own
  if (live === undefined) return isSaidAnew ? [group] : []
  if (own.length > 1) return [group]
  if (live.revisionOf === undefined) return isSaidAnew ? [group] : [withStateOf(group, live)]
  const isLive = isDeepStrictEqual(essenceOf(live), essenceOf(group))
  return isLive || !isSaidAnew ? [withEssenceOf(live, withStateOf(group, live))] : [group]
}

/** What is never declared: whether it rests, and how many there are by `lb scale`. */
function withStateOf(group: GroupPlan, { rests, launch: live }: GroupPlan): GroupPlan {
  const { launch } = group
  const isAsMany = launch !== undefined && launch.scale === undefined && live?.scale === undefined && live?.replicas === launch.replicas
  const slots = isAsMany ? live?.slots : undefined
  return {
    ...group,
    ...(rests === undefined ? {} : { rests }),
    ...(launch === undefined || slots === undefined ? {} : { launch: { ...launch, slots } }),
  }
}

/** What the nodes of `live` are made of, under its name, with all else as `group` is declared. */
function withEssenceOf(live: GroupPlan, group: GroupPlan): GroupPlan {
  const { name, revision, revisionOf } = live
  const { engine: _engine, model: _model, apiKey: _key, attach: _attach, source: _source, launch: _launch, host: _host, ...own } = group
  const { engine, model, apiKey, attach, source, host } = live
  const launch = launchOf(live.launch, group.launch)
  const made = { name, revision, revisionOf, engine, model, apiKey, attach, source, host, launch }
  const said = Object.fromEntries(Object.entries(made).filter(([, part]) => part !== undefined))
  return { ...own, ...said } as GroupPlan
}

function launchOf(live: LaunchSettings | undefined, declared: LaunchSettings | undefined): LaunchSettings | undefined {
  if (live === undefined || declared === undefined) return live
  const { replicas: _replicas, slots: _slots, scale: _scale, restarts: _restarts, readyWithinMs: _readyWithinMs, ...started } = live
  const { replicas, slots, scale, restarts, readyWithinMs } = declared
  return {
    ...started,
    replicas,
    restarts,
    ...(slots === undefined ? {} : { slots }),
    ...(scale === undefined ? {} : { scale }),
    ...(readyWithinMs === undefined ? {} : { readyWithinMs }),
  }
}
