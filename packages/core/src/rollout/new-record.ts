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
  const targets = await targetsOf(wish, { world, store })
  const ground = groundOf(pool.groups, targets, plan)
  const { kind, stages, note } = await planRollout({ ground, plan, pool: pool.name }, world)
  if (!isAs(world.pool(wish.pool), pool)) throw refused(`pool ${pool.name} changed while this was planned`, 'try again')
  const nodes = world.nodes(pool.name)
  const ready = nodes.filter((node) => node.state === 'ready' && isOfOld(node, ground))
  const now = world.clock.epochMs()
  const [pair] = ground.pairs
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
    readyBefore: ready.map(({ id }) => id),
    launchHashes: Object.fromEntries(ready.flatMap(({ id, launchHash }) => (launchHash === undefined ? [] : [[id, launchHash]]))),
    failuresBefore: Object.fromEntries(nodes.map(({ id, failures }) => [id, failures])),
    contextBefore: contexts.length === 0 ? null : Math.min(...contexts),
    planHash: pair === undefined ? null : await launchHashOf(pool, pair.from, world.weights),
    isPromoted: false,
    back: null,
    startedAtMs: now,
    endedAtMs: null,
    reason: null,
    judged: { canary: 0, baseline: 0 },
    judge: null,
    events: [...targets.notes, ...(note === null ? [] : [note])].map((message) => ({ atMs: now, message })),
  }
}

function groundOf(base: readonly GroupPlan[], { pairs, from, to, isStanding }: Targets, { header }: RolloutRecord['plan']): Ground {
  return { base, pairs, old: from.revision, fresh: to.revision, isStanding, sticky: false, ...(header === undefined ? {} : { header }) }
}

/** Servers that a source names are groups of their own, called after it. */
function isOfOld({ group }: RolloutNode, { pairs }: Ground): boolean {
  return pairs.some(({ from }) => from.name === group || (from.source !== undefined && group.startsWith(`${from.name}-`)))
}

/** The only old engine can sleep instead of ending, and so be back in a moment. */
function canSleep(nodes: readonly RolloutNode[], { pairs }: Ground): boolean {
  const old = nodes.filter(({ group }) => pairs.some(({ from }) => from.name === group))
  return old.length === 1 && old.every((node) => node.canSleep && node.state === 'ready')
}
