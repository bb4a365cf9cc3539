import { isDeepStrictEqual } from 'node:util'
import { essenceOf, type GroupPlan, type PoolPlan, type RolloutPlan, type Topologies, type Topology } from '@plimsoll/core'
import { wrongInput } from '../wrong-input.js'
import { nearestCommand } from './nearest-command.js'

/** What an edited topology wants of one pool. */
export interface EditedPool {
  /** Node groups that differ from what runs. */
  readonly groups: readonly GroupPlan[]
  /** How it shall go live, where the file says so otherwise than before. */
  readonly plan?: RolloutPlan
  /** What differs and is left as it is, for people. */
  readonly notices: readonly string[]
}

/**
 * Takes the changed node groups of one pool out of an edited topology. Throws LB_WRONG_INPUT where it changes anything else, for a rollout would leave
 * that out without a word, and where it changes nothing.
 */
export function editedGroups(poolName: string, edited: Topology, known: Topologies): EditedPool {
  const after = poolIn(plain(edited), poolName, 'the edited topology')
  const declared = poolIn(known.declared, poolName, 'the running topology')
  const beside = poolChanges(plain(edited), known, poolName)
  const others = [...gatewayChanges(plain(edited), known.declared), ...beside.refused, ...settingChanges(after, declared)]
  if (others.length > 0)
    throw wrongInput(
      `the file changes more than node groups of ${poolName}: ${others.join('; ')}`,
      'a rollout takes the node groups of one pool; leave the rest as it was, or apply all of it with lb down and lb up',
    )
  const groups = after.groups.filter((group) => !isRunning(group, poolIn(known.running, poolName, 'the running topology')))
  if (groups.length === 0) throw nothingNew(after, declared, beside.rollable)
  const { rollout } = after
  return {
    groups,
    ...(rollout === undefined || isDeepStrictEqual(rollout, declared.rollout) ? {} : { plan: rollout }),
    notices: [
      ...(isDeepStrictEqual(plain(edited).gateway.listen, known.declared.gateway.listen)
        ? []
        : ['gateway.listen of the file is not that of the running balancer; a rollout leaves it as it is']),
      ...beside.rollable.map(
        (name) => `pool ${name} of the file differs too, and stays as it is: lb rollout start ${name} --file brings it`,
      ),
    ],
  }
}

/** How many nodes there are, and how often they may be started again, is nothing that a rollout brings. */
function nothingNew(after: PoolPlan, declared: PoolPlan, elsewhere: readonly string[]): Error {
  const { name } = after
  const isRescaled = after.groups.some((group) => {
    const before = declared.groups.find((each) => each.name === group.name)
    return before !== undefined && !isDeepStrictEqual(group, before) && isDeepStrictEqual(essenceOf(group), essenceOf(before))
  })
  const hint =
    elsewhere.length === 0
      ? 'edit them, or say --model or --set'
      : `changed is ${elsewhere.join(', ')}: lb rollout start ${elsewhere[0] ?? ''} --file`
  if (!isRescaled) return wrongInput(`the node groups of ${name} in the file are those that run`, hint)
  return wrongInput(
    `the node groups of ${name} in the file launch what runs; only how many there are, or how often they may be started, differs`,
    `lb scale ${name} N changes how many there are; lb down and lb up apply the rest`,
  )
}

/** As it is after a trip through JSON, as what a balancer tells has made one. */
function plain(topology: Topology): Topology {
  return JSON.parse(JSON.stringify(topology)) as Topology
}

function poolIn(topology: Topology, name: string, where: string): PoolPlan {
  const pool = topology.pools.find((each) => each.name === name)
  if (pool !== undefined) return pool
  const names = topology.pools.map((each) => each.name)
  const near = nearestCommand(name, names)
  throw wrongInput(
    `${where} has no pool ${name}`,
    `${near === undefined ? '' : `did you mean ${near}?   `}its pools are: ${names.join(', ')}`,
  )
}

/** Whether nodes of just this kind run: the declared ones, or a revision of them. */
function isRunning(group: GroupPlan, running: PoolPlan): boolean {
  const same = running.groups.filter(({ name, revisionOf }) => name === group.name || revisionOf === group.name)
  return same.some((each) => isDeepStrictEqual(essenceOf(each), essenceOf(group)) && each.weight === group.weight)
}

/** The address may differ: `lb up --port` changes it too. */
function gatewayChanges(edited: Topology, declared: Topology): string[] {
  const keys = Object.keys({ ...edited.gateway, ...declared.gateway }) as (keyof Topology['gateway'])[]
  return keys
    .filter((key) => key !== 'listen' && !isDeepStrictEqual(edited.gateway[key], declared.gateway[key]))
    .map((key) => `gateway.${key}`)
}

interface OtherPools {
  /** What a rollout cannot bring at all. */
  readonly refused: readonly string[]
  /** Pools of which only node groups differ: they have rollouts of their own. */
  readonly rollable: readonly string[]
}

function poolChanges(edited: Topology, { declared, running }: Topologies, but: string): OtherPools {
  const names = [...new Set([...edited.pools, ...declared.pools].map(({ name }) => name))].filter((name) => name !== but)
  const refused: string[] = []
  const rollable: string[] = []
  for (const name of names) {
    const [now, before, live] = [edited, declared, running].map(({ pools }) => pools.find((pool) => pool.name === name))
    if (now === undefined) refused.push(`pool ${name} is gone`)
    else if (before === undefined) refused.push(`pool ${name} is new`)
    else if (isDeepStrictEqual(now, before)) continue
    else if (!sameBut(now, before, 'groups')) refused.push(`pool ${name}`)
    else if (live === undefined || !now.groups.every((group) => isRunning(group, live))) rollable.push(name)
  }
  return { refused, rollable }
}

function settingChanges(after: PoolPlan, before: PoolPlan): string[] {
  const keys = Object.keys({ ...after, ...before }) as (keyof PoolPlan)[]
  const settings = keys.filter((key) => key !== 'groups' && key !== 'rollout' && !isDeepStrictEqual(after[key], before[key]))
  const has = (pool: PoolPlan, name: string): boolean => pool.groups.some((group) => group.name === name)
  return [
    ...settings.map((key) => `${key} of pool ${after.name}`),
    ...after.groups.filter(({ name }) => !has(before, name)).map(({ name }) => `node group ${name} is new`),
    ...before.groups.filter(({ name }) => !has(after, name)).map(({ name }) => `node group ${name} is gone`),
  ]
}

function sameBut(one: PoolPlan, other: PoolPlan, key: keyof PoolPlan): boolean {
  return isDeepStrictEqual({ ...one, [key]: null }, { ...other, [key]: null })
}
