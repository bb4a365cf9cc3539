import { wishedRollout, type GroupPlan } from '../topology/index.js'
import { planRollout } from './planner.js'
import { isAs, type Ground } from './places.js'
import { launchHashOf, type RevisionStore } from './revisions/index.js'
import type { RolloutRecord } from './rollout-record.js'
import type { RolloutNode, RolloutWorld } from './rollout-world.js'
import type { RolloutWish } from './rollout-wish.js'
import { refused, sideOf, targetsOf, type Targets } from './targets.js'

interface NewRecordContext {
  readonly world: RolloutWorld
  readonly store: RevisionStore
  readonly id: string
}

/** A rollout that has not begun: nothing is changed yet. Throws what targetsOf and planRollout throw. */
export async function newRecord(wish: RolloutWish, { world, store, id }: NewRecordContext): Promise<RolloutRecord> {
  const pool = world.pool(wish.pool)
  const plan = wishedRollout(pool.rollout, wish.plan)
  refuseUnknownMetrics(plan, world)
  const targets = await targetsOf(wish, { world, store })
  const ground = groundOf(pool.groups, targets, plan)
  const { kind, stages, note } = await planRollout({ ground, plan, pool: pool.name }, world)
  const [pair] = ground.pairs
  const planHash = pair === undefined ? null : await launchHashOf(pool, pair.from, world.weights)
  // Nothing is waited for from here on: what is seen now is what it begins with.
  if (!isAs(world.pool(wish.pool), pool)) throw refused(`pool ${pool.name} changed while this was planned`, 'try again')
  const nodes = world.nodes(pool.name)
  const ready = nodes.filter((node) => node.state === 'ready' && isOfOld(node, ground))
  const notes = [...targets.notes, ...(note === null ? [] : [note]), ...(ready.length > 0 ? [] : [loneWords(targets)])]
  const now = world.clock.epochMs()
  const contexts = ready.flatMap(({ contextTokens }) => contextTokens ?? [])
  return {
    id,
    pool: pool.name,
    kind,
    phase: 'preparing',
    plan,
    ground: { ...ground, sticky: kind === 'split', ...(kind === 'in-place' && canSleep(nodes, ground) ? { sleeps: true } : {}) },
    stages,
    at: -1,
    first: {
      groups: pool.groups,
      ...(pool.split === undefined ? {} : { split: pool.split }),
      ...(pool.wake === undefined ? {} : { wake: pool.wake }),
    },
    from: sideOf(targets.from),
    to: sideOf(targets.to),
    groups: targets.groups,
    readyBefore: ready.map(({ id }) => id),
    launchHashes: Object.fromEntries(ready.flatMap(({ id, launchHash }) => (launchHash === undefined ? [] : [[id, launchHash]]))),
    failuresBefore: Object.fromEntries(nodes.map(({ id, failures }) => [id, failures])),
    contextBefore: contexts.length === 0 ? null : Math.min(...contexts),
    planHash,
    isPromoted: false,
    back: null,
    startedAtMs: now,
    endedAtMs: null,
    reason: null,
    judged: { canary: 0, baseline: 0 },
    judge: null,
    events: notes.map((message) => ({ atMs: now, message })),
  }
}

/** A rollout that cannot be judged as it is wished must not begin. */
function refuseUnknownMetrics({ judge }: RolloutRecord['plan'], world: RolloutWorld): void {
  const unknown = judge.metrics.find(({ plugin }) => plugin !== undefined && world.metric(plugin) === undefined)
  if (unknown === undefined) return
  const hint = 'a balancer loads the metrics that its file names: lb down, then lb up with that file'
  throw refused(`this balancer has no metric \`${unknown.plugin ?? ''}\``, hint)
}

function groundOf(base: readonly GroupPlan[], { pairs, from, to, isStanding }: Targets, { header }: RolloutRecord['plan']): Ground {
  return { base, pairs, old: from.revision, fresh: to.revision, isStanding, sticky: false, ...(header === undefined ? {} : { header }) }
}

/** Servers that a source names are groups of their own, called after it; so may be a group that was declared. */
function isOfOld({ group }: RolloutNode, { pairs, base }: Ground): boolean {
  if (base.some(({ name }) => name === group)) return pairs.some(({ from }) => from.name === group)
  return pairs.some(({ from }) => from.source !== undefined && group.startsWith(`${from.name}-`))
}

function loneWords({ from, to }: Targets): string {
  return `no node of ${from.revision} serves: ${to.revision} has nothing to be compared with, and goes live when its nodes are well`
}

/** The only old engine can sleep instead of ending, and so be back in a moment. */
function canSleep(nodes: readonly RolloutNode[], { pairs }: Ground): boolean {
  const old = nodes.filter(({ group }) => pairs.some(({ from }) => from.name === group))
  return old.length === 1 && old.every((node) => node.canSleep && node.state === 'ready')
}
