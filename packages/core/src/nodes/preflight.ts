import type { Clock } from '../base/index.js'
import type { Backend, PreflightFinding } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { onPath } from '../machines/index.js'
import { printable } from './last-words.js'

export interface PreflightOptions {
  readonly backend: Backend
  /** Named where its plugin fails. */
  readonly engine: string
  /** Of the launch that would follow. */
  readonly command: string
  readonly path: string | undefined
  /** The command line is the user's own, and may run anywhere (a container): what the plugin finds of its own launch is a warning then. */
  readonly isOwnCommandLine?: boolean
  readonly clock: Clock
  readonly withinMs?: number
}

const WITHIN_MS = 6_000
const MOST_FINDINGS = 20

/** What would stop a launch: a command that is not there, and what the engine's plugin finds. A plugin that throws or hangs is a warning that names it. */
export async function preflight(options: PreflightOptions): Promise<readonly PreflightFinding[]> {
  const missing = await missingCommand(options)
  return [...(missing === undefined ? [] : [missing]), ...(await ask(options))]
}

async function missingCommand({ command, path }: PreflightOptions): Promise<PreflightFinding | undefined> {
  if (command.includes('/') || (await onPath(command, path ?? '')) !== undefined) return undefined
  return {
    severity: 'error',
    kind: 'bad-settings',
    message: `the command \`${command}\` is not on the PATH of the engine`,
    hint: 'install it, or name it in full: launch.command, launch.venv',
  }
}

async function ask({
  backend,
  engine,
  clock,
  isOwnCommandLine,
  withinMs = WITHIN_MS,
}: PreflightOptions): Promise<readonly PreflightFinding[]> {
  if (backend.preflight === undefined) return []
  const abort = new AbortController()
  const { promise: late, resolve } = Promise.withResolvers<readonly PreflightFinding[]>()
  const timer = clock.after(withinMs, () => {
    resolve([failedCheck(engine, `no answer within ${withinMs / 1000} s`)])
    abort.abort()
  })
  try {
    const found: unknown = await Promise.race([backend.preflight(abort.signal), late])
    if (!Array.isArray(found)) return [failedCheck(engine, 'its answer is no list')]
    const findings = found.slice(0, MOST_FINDINGS).map((each) => whole(each as Partial<PreflightFinding> | null))
    return isOwnCommandLine === true ? findings.map((each) => ({ ...each, severity: 'warning' })) : findings
  } catch (error) {
    return [failedCheck(engine, messageOf(error))]
  } finally {
    timer.cancel()
  }
}

function failedCheck(engine: string, why: string): PreflightFinding {
  const hint = 'the launch is tried all the same; tell whoever makes the plugin'
  return {
    severity: 'warning',
    kind: 'other',
    message: `the plugin of engine \`${engine}\` failed in its check before the launch: ${why}`,
    hint,
  }
}

function whole(found: Partial<PreflightFinding> | null): PreflightFinding {
  return {
    severity: found?.severity === 'error' ? 'error' : 'warning',
    kind: found?.kind ?? 'other',
    message: printable(String(found?.message)),
    hint: printable(String(found?.hint)),
  }
}
