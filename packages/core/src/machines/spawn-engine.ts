import { asOrdinary } from '../base/index.js'
import { openAppendLog } from './log-files.js'
import { closeSync } from 'node:fs'
import { LbError, messageOf } from '../errors/index.js'
import { processIdentity, type ProcessIdentity } from './identity.js'

export interface SpawnRequest {
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment; nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** stdout and stderr are appended here; the file outlives us, so that an engine never writes into a broken pipe. */
  readonly logPath: string
}

export interface ProcessEnd {
  readonly code: number | null
  readonly signal: string | null
}

export interface SpawnedProcess {
  readonly identity: ProcessIdentity
  readonly exited: Promise<ProcessEnd>
}

/** Starts a process in a group of its own that outlives us. Throws LB_CANNOT_LAUNCH with the reason when it does not start. */
export async function spawnEngine(request: SpawnRequest): Promise<SpawnedProcess> {
  const { execa } = await import('execa')
  const log = openAppendLog(request.logPath)
  try {
    const options = {
      detached: true,
      cleanup: false,
      reject: false,
      buffer: false,
      // Any descriptor number works; the types of execa 10.2 name only 1 and 2.
      stdio: ['ignore', log as 1, log as 1],
      env: request.env,
      extendEnv: false,
    } as const
    const child = asOrdinary(() => execa(request.command, request.args, options))
    const exited = child.then((result) => ({ code: result.exitCode ?? null, signal: result.signal ?? null }))
    if (child.pid === undefined) throw cannotLaunch(request.command, (await child).cause ?? 'it did not start')
    child.nodeChildProcess.unref()
    const identity = await processIdentity(child.pid)
    return { identity: identity ?? { pid: child.pid, startTime: 'ended', bootId: 'ended' }, exited }
  } catch (cause) {
    throw cause instanceof LbError ? cause : cannotLaunch(request.command, cause)
  } finally {
    closeSync(log)
  }
}

function cannotLaunch(command: string, cause: unknown): LbError {
  return new LbError(`\`${command}\` cannot be started: ${messageOf(cause)}`, {
    code: 'LB_CANNOT_LAUNCH',
    source: 'operator',
    hint: 'is it installed, and on the PATH of the balancer?',
    cause,
  })
}
