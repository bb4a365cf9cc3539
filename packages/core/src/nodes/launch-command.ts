import { delimiter, join } from 'node:path'
import type { Backend, LaunchPlan, LaunchSlot } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { GroupPlan, LaunchSettings } from '../topology/index.js'

/**
 * What is really started: the plugin's plan with the topology's `command`, `venv` and limits applied. A command that names `${PORT}` is the
 * whole command line; any other stands before the plugin's arguments. Throws LB_CANNOT_LAUNCH.
 */
export function planLaunch(backend: Backend, group: GroupPlan, slot: LaunchSlot, env: NodeJS.ProcessEnv): LaunchPlan {
  const plan = backend.launchPlan?.(slot)
  const { launch } = group
  if (plan === undefined || launch === undefined)
    throw new LbError(`engine ${group.engine} cannot be launched`, { code: 'LB_CANNOT_LAUNCH', source: 'operator' })
  const started = inVenv(withCommand(plan, launch, slot), launch.venv, env)
  return { ...started, readyWithinMs: launch.readyWithinMs ?? plan.readyWithinMs }
}

function withCommand(plan: LaunchPlan, launch: LaunchSettings, slot: LaunchSlot): LaunchPlan {
  if (launch.command === undefined) return plan
  const [command = plan.command, ...args] = launch.command.map((part) => fill(part, launch, slot))
  return { ...plan, command, args: hasOwnCommandLine(launch) ? args : [...args, ...plan.args] }
}

/** Whether the topology says the whole command line: what the plugin would have started counts no more. */
export function hasOwnCommandLine({ command }: Pick<LaunchSettings, 'command'>): boolean {
  return command?.some((part) => part.includes('${PORT}')) === true
}

function fill(part: string, { model = '' }: LaunchSettings, { port, host, replica }: LaunchSlot): string {
  const values: Readonly<Record<string, string>> = { PORT: String(port), HOST: host, MODEL: model, REPLICA: String(replica) }
  return part.replaceAll(/\$\{([A-Z]+)\}/g, (whole, name: string) => values[name] ?? whole)
}

/** As `activate` does it: its commands come first. A command without a slash is looked for there by the PATH. */
function inVenv(plan: LaunchPlan, venv: string | undefined, env: NodeJS.ProcessEnv): LaunchPlan {
  if (venv === undefined) return plan
  const path = [join(venv, 'bin'), plan.env['PATH'] ?? env['PATH']].filter((part) => part !== undefined).join(delimiter)
  return { ...plan, env: { ...plan.env, VIRTUAL_ENV: venv, PATH: path } }
}
