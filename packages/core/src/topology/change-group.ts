import { dirname, resolve } from 'node:path'
import { messageOf } from '../errors/index.js'
import type { EngineCatalogue } from './catalogue.js'
import { defaultStrategy } from './check-context.js'
import { deepFreeze } from './deep-freeze.js'
import { listOf, recordOf } from './key-path.js'
import { nearestWord } from './nearest-word.js'
import type { Problem } from './problem.js'
import { deepPlain, topologyForm } from './render-topology.js'
import { resolveTopology } from './resolve-topology.js'
import { TopologyErrors } from './topology-errors.js'
import type { GroupPlan, PoolPlan, Topology } from './topology.js'

/** What somebody wants otherwise in a node group. */
export interface GroupChange {
  /** Other weights: `launch.model` of a launched group, `model` of an attached one. */
  readonly model?: string
  /** By the path that a key has in the group's entry of the file: `launch.args.maxModelLen`, `launch.env.OMP_NUM_THREADS`. Null: as if it were not there. */
  readonly set?: Readonly<Record<string, unknown>>
}

export interface ChangeContext {
  /** The one that the group is of: its folder is where relative paths start. */
  readonly topology: Topology
  readonly pool: PoolPlan
  readonly engines: EngineCatalogue
}

/** Keys of a group's entry that say what its nodes are; the others can change under a running node. */
const OWN_KEYS = ['launch', 'model', 'apiKey']
const LAUNCH_KEYS = ['model', 'command', 'venv', 'ready', 'args', 'env', 'gpus', 'readyWithin', 'restarts']
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['weight', 'edit the file: weights change under running nodes and need no rollout'],
  ['launch.replicas', 'lb scale POOL N changes how many there are'],
])
const MOST_CHANGES = 100

/**
 * A node group with other weights or settings, checked as the file is: the topology's own schema, the engine plugin's schema of its settings, secrets by reference
 * only. Nothing of it is believed: it may come from anybody who can talk to the balancer. Throws TopologyErrors with all mistakes at once.
 */
export async function changeGroup(group: GroupPlan, change: GroupChange, context: ChangeContext): Promise<GroupPlan> {
  const shown = `rollout of ${context.pool.name}/${group.name}`
  const wanted = changesOf(group, change)
  const problems = wanted.slice(0, MOST_CHANGES).flatMap(([path]) => pathProblem(path, group, shown))
  if (wanted.length > MOST_CHANGES) problems.push(tooMany(wanted.length, shown))
  if (problems.length > 0) throw new TopologyErrors(problems, undefined)
  const { entry, hosts } = entryOf(group, context, shown)
  const node = wanted.reduce((found, [path, value]) => withValue(found, path.split('.'), deepPlain(value)), entry)
  const { name, models } = context.pool
  const input = { version: 1, name: 'rollout', ...(hosts === undefined ? {} : { hosts }), pools: { [name]: { models, nodes: [node] } } }
  const changed = await resolved(input, context, shown)
  return deepFreeze(merged(group, changed))
}

/** As the file would have it, alone and without what it has beside others, so that only what is wished can be wrong. */
function entryOf(group: GroupPlan, { topology, pool }: ChangeContext, file: string): { entry: unknown; hosts: unknown } {
  const { role: _role, rank: _rank, ...alone } = group
  try {
    const form = recordOf(topologyForm({ ...topology, pools: [{ ...pool, groups: [{ ...alone, name: 'group' }] }] }))
    return { entry: listOf(recordOf(recordOf(form['pools'])[pool.name])['nodes'])[0], hosts: form['hosts'] }
  } catch (error) {
    const message = `this is no node group: ${messageOf(error)}`
    throw new TopologyErrors([{ file, line: 0, column: 0, width: 1, keyPath: '', message }], undefined)
  }
}

function changesOf(group: GroupPlan, { model, set }: GroupChange): [string, unknown][] {
  const named: [string, unknown][] = model === undefined ? [] : [[group.launch === undefined ? 'model' : 'launch.model', model]]
  return [...named, ...Object.entries(recordOf(set))]
}

function tooMany(count: number, file: string): Problem {
  const hint = 'edit the file and roll that: lb rollout start POOL --file lb.yaml'
  return { file, line: 0, column: 0, width: 1, keyPath: '', message: `${count} changes are more than ${MOST_CHANGES}`, hint }
}

function pathProblem(path: string, { launch, name }: GroupPlan, file: string): Problem[] {
  const problem = (message: string, words: Pick<Problem, 'hint' | 'expected' | 'suggestion'>): Problem[] => [
    { file, line: 0, column: 0, width: 1, keyPath: path.slice(0, 200), message, ...words },
  ]
  const [first = '', second] = path.split('.')
  const elsewhere = ELSEWHERE.get(first) ?? ELSEWHERE.get(`${first}.${second ?? ''}`)
  if (elsewhere !== undefined) return problem('a rollout does not change this', { hint: elsewhere })
  if (path.length > 200 || path.split('.').some((step) => step === '' || step === '__proto__'))
    return problem('this is no path of a setting', { expected: 'keys with dots between them, such as launch.args.maxModelLen' })
  const known = first === 'launch' && second !== undefined ? LAUNCH_KEYS : OWN_KEYS
  const word = known === LAUNCH_KEYS ? (second ?? '') : first
  if (!known.includes(word)) {
    const near = nearestWord(word, known)
    return problem(
      `\`${word}\` is nothing that a rollout changes`,
      near === undefined ? { expected: `one of ${known.join(', ')}` } : { suggestion: near },
    )
  }
  if (first === 'launch' && launch === undefined)
    return problem(`${name} is attached: lb launches nothing there`, {
      hint: 'whoever runs that server changes it; `model` is its model’s name there',
    })
  return []
}

/** A step into something that is no map makes one of it: the schema tells where that is wrong. */
function withValue(target: unknown, [step = '', ...rest]: readonly string[], value: unknown): unknown {
  const entries = Object.entries(recordOf(target)).filter(([key]) => key !== step)
  const before = Object.entries(recordOf(target)).find(([key]) => key === step)?.[1]
  const after = rest.length === 0 ? value : withValue(before, rest, value)
  return Object.fromEntries(after === null ? entries : [...entries, [step, after]])
}

async function resolved(input: object, { topology, pool, engines }: ChangeContext, shown: string): Promise<GroupPlan> {
  const strategies = new Map([[defaultStrategy, { settings: {} }]])
  const cwd = topology.file === undefined ? resolve('.') : dirname(topology.file)
  try {
    const made = await resolveTopology(input as never, { engines, strategies, env: {}, cwd })
    return made.pools[0]?.groups[0] as GroupPlan
  } catch (error) {
    if (!(error instanceof TopologyErrors)) throw error
    const above = `pools.${pool.name}.nodes[0]`
    throw new TopologyErrors(
      error.problems.map((problem) => ({ ...problem, file: shown, keyPath: problem.keyPath.replace(above, '').replace(/^\./, '') })),
      undefined,
    )
  }
}

/** Everything beside what a rollout changes stays as it is. */
function merged(group: GroupPlan, { model, apiKey, launch }: GroupPlan): GroupPlan {
  const { model: _model, apiKey: _apiKey, launch: before, ...rest } = group
  const { replicas = 1, slots, scale } = before ?? {}
  return {
    ...rest,
    ...(model === undefined ? {} : { model }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(launch === undefined
      ? {}
      : { launch: { ...launch, replicas, ...(slots === undefined ? {} : { slots }), ...(scale === undefined ? {} : { scale }) } }),
  }
}
