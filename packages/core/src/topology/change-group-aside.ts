import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { LbError } from '../errors/index.js'
import type { EngineFacts } from './catalogue.js'
import { changeGroup, type ChangeContext, type GroupChange } from './change-group.js'
import { deepFreeze } from './deep-freeze.js'
import type { Problem } from './problem.js'
import { TopologyErrors } from './topology-errors.js'
import type { GroupPlan, PoolPlan, Topology } from './topology.js'

export interface ChangeTask {
  readonly group: GroupPlan
  readonly change: GroupChange
  readonly topology: Topology
  readonly pool: PoolPlan
  readonly engines: readonly (readonly [string, EngineFacts])[]
}

export type ChangeAnswer = { readonly group: GroupPlan } | { readonly problems: readonly Problem[] } | { readonly fault: string }

const thread = new URL('./change-group-thread.js', import.meta.url)

/**
 * The same as `changeGroup`, in a thread of its own: compiling the schemas takes some hundred milliseconds, which no stream of this one shall wait for. Where the thread's
 * file is not beside this one (a bundle), it is done here.
 */
export async function changeGroupAside(group: GroupPlan, change: GroupChange, context: ChangeContext): Promise<GroupPlan> {
  if (!existsSync(fileURLToPath(thread))) return changeGroup(group, change, context)
  const { topology, pool } = context
  const answer = await asked({
    group,
    change,
    topology,
    pool,
    engines: [...context.engines].map(([name, facts]) => [name, plainFacts(facts)]),
  })
  if ('group' in answer) return deepFreeze(answer.group)
  if ('problems' in answer) throw new TopologyErrors(answer.problems, undefined)
  throw failed(answer.fault)
}

/** A plugin is more than its facts, and functions cannot be handed over. */
function plainFacts({ settings, canLaunch, needsCommand, takesKey, defaultAttachUrl }: EngineFacts): EngineFacts {
  return {
    settings,
    canLaunch,
    ...(needsCommand === undefined ? {} : { needsCommand }),
    ...(takesKey === undefined ? {} : { takesKey }),
    ...(defaultAttachUrl === undefined ? {} : { defaultAttachUrl }),
  }
}

function asked(workerData: ChangeTask): Promise<ChangeAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(thread, { workerData })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(failed(`its thread ended with ${code}`)))
  })
}

function failed(why: string): LbError {
  return new LbError(`the change could not be checked: ${why}`, { code: 'LB_BUG', source: 'lb', hint: 'report it with the log of lb' })
}
