import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { LaunchPlan } from '../contracts/index.js'
import { onPath } from '../machines/index.js'
import type { NodePlan } from './node-plan.js'

/** Inherited variables that choose hardware or weights. The rest of what is inherited changes from shell to shell and says nothing about the engine. */
const TELLING = /^(CUDA_|NVIDIA_|ROCR_|HIP_|HSA_|HF_HOME$|HF_HUB_CACHE$|LD_LIBRARY_PATH$|DYLD_LIBRARY_PATH$)/

export interface HashedLaunch {
  readonly plan: LaunchPlan
  /** Variables that were declared, by the plugin or the topology. */
  readonly declared: Readonly<Record<string, string>>
  /** All variables that the engine gets. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * One hash over everything that a launch would do: equal hashes, the same engine. The version of the program is not in it, nor the content of files that
 * the arguments name. Secrets go in with the rest and cannot be read back.
 */
export async function launchHash({ group, pool }: NodePlan, { plan, declared, env }: HashedLaunch): Promise<string> {
  const telling = Object.entries(env).filter(([name]) => name in declared || TELLING.test(name))
  const parts = {
    engine: group.engine,
    models: pool.models,
    model: group.model ?? null,
    weights: group.launch?.model ?? null,
    gpus: group.launch?.gpus ?? null,
    command: await placeOf(plan.command, env['PATH']),
    args: plan.args.map((arg) => (/^\.\.?\//.test(arg) ? resolve(arg) : arg)),
    env: telling.filter(([name]) => name !== 'PATH').sort(([a], [b]) => (a < b ? -1 : 1)),
  }
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

/** The path that a command means here and now; its name where there is none. */
async function placeOf(command: string, path: string | undefined): Promise<string> {
  return command.includes('/') ? resolve(command) : ((await onPath(command, path ?? '')) ?? command)
}
