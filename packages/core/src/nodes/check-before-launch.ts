import { RefusedLaunch } from './explain-end.js'
import { hasOwnCommandLine } from './launch-command.js'
import type { RunnerContext } from './node-runner.js'
import type { Node } from './node.js'
import { preflight } from './preflight.js'
import type { PreparedLaunch } from './prepare-launch.js'

/** Keeps the warnings on the node. Throws RefusedLaunch for what would stop the launch. */
export async function checkBeforeLaunch(node: Node, { backend, plan, env }: PreparedLaunch, { clock, log }: RunnerContext): Promise<void> {
  // It would look at the files of this machine.
  if (node.plan.group.host !== undefined) return
  const { engine, launch } = node.plan.group
  const isOwnCommandLine = launch !== undefined && hasOwnCommandLine(launch)
  const findings = await preflight({ backend, engine, command: plan.command, path: env['PATH'], isOwnCommandLine, clock })
  node.warnings = findings.filter(({ severity }) => severity === 'warning').map(({ message, hint }) => `${message}; ${hint}`)
  for (const warning of node.warnings) log.warn('node.preflight_warning', { node: node.id, warning })
  const errors = findings.filter(({ severity }) => severity === 'error')
  const [first] = errors
  if (first !== undefined) throw new RefusedLaunch({ ...first, message: errors.map(({ message }) => message).join('; ') })
}
