import { isDeepStrictEqual } from '../base/index.js'
import type { GroupPlan, PoolPlan, Topology } from './topology.js'

export interface ChangedGroup {
  readonly from: GroupPlan
  readonly to: GroupPlan
  /** True where running nodes cannot be kept: engine, launch settings, address, model or key differ. False: only weight, replicas or restart budget. */
  readonly replace: boolean
}

export interface PoolDiff {
  readonly pool: string
  readonly added: readonly GroupPlan[]
  readonly removed: readonly GroupPlan[]
  readonly kept: readonly GroupPlan[]
  readonly changed: readonly ChangedGroup[]
  /** Models, strategy, retries, timeouts, health or drain differ. */
  readonly settingsChanged: boolean
}

export interface TopologyDiff {
  /** Every pool of either side: those of the new topology in its order, then the ones that go. */
  readonly pools: readonly PoolDiff[]
  readonly gatewayChanged: boolean
  /** False: applying the new topology would change nothing. */
  readonly changed: boolean
}

/** What a reload has to do, group by group; groups are matched by pool and name. */
export function diffTopologies(before: Topology, after: Topology): TopologyDiff {
  const gone = before.pools.filter((pool) => !after.pools.some(({ name }) => name === pool.name))
  const pools = [
    ...after.pools.map((pool) =>
      diffPool(
        before.pools.find(({ name }) => name === pool.name),
        pool,
      ),
    ),
    ...gone.map((pool) => ({ ...untouched(pool.name), removed: pool.groups })),
  ]
  const gatewayChanged = !isDeepStrictEqual(before.gateway, after.gateway)
  const order = !isDeepStrictEqual(
    before.pools.map(({ name }) => name),
    after.pools.map(({ name }) => name),
  )
  return { pools, gatewayChanged, changed: gatewayChanged || order || before.name !== after.name || pools.some(isChanged) }
}

function isChanged(diff: PoolDiff): boolean {
  return diff.settingsChanged || diff.added.length + diff.removed.length + diff.changed.length > 0
}

function untouched(pool: string): PoolDiff {
  return { pool, added: [], removed: [], kept: [], changed: [], settingsChanged: false }
}

function diffPool(before: PoolPlan | undefined, after: PoolPlan): PoolDiff {
  if (before === undefined) return { ...untouched(after.name), added: after.groups }
  // Engines are told the pool's model names when they start.
  const renamed = !isDeepStrictEqual(before.models, after.models)
  const pairs = after.groups.map((to) => ({ to, from: before.groups.find(({ name }) => name === to.name) }))
  const changed = pairs.flatMap(({ from, to }) => (from === undefined ? [] : changeOf(from, to, renamed)))
  const { groups: _, ...settingsBefore } = before
  const { groups: __, ...settingsAfter } = after
  return {
    pool: after.name,
    added: pairs.filter(({ from }) => from === undefined).map(({ to }) => to),
    removed: before.groups.filter(({ name }) => !after.groups.some((group) => group.name === name)),
    kept: pairs.filter(({ from, to }) => from !== undefined && !changed.some((change) => change.to === to)).map(({ to }) => to),
    changed,
    settingsChanged: !isDeepStrictEqual(settingsBefore, settingsAfter),
  }
}

function changeOf(from: GroupPlan, to: GroupPlan, renamed: boolean): ChangedGroup[] {
  const replace = renamed || !isDeepStrictEqual(essenceOf(from), essenceOf(to))
  return replace || !isDeepStrictEqual(from, to) ? [{ from, to, replace }] : []
}

/** What a running node was made of; the rest can change under it: weight, replicas and the limits of its starts. */
export function essenceOf({ engine, model, apiKey, attach, source, launch, host }: GroupPlan): object {
  if (launch === undefined) return { engine, model, apiKey, attach, source }
  const { replicas: _replicas, slots: _slots, scale: _scale, restarts: _restarts, readyWithinMs: _readyWithinMs, ...started } = launch
  return { engine, model, apiKey, started, host }
}
