import { spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { asOrdinary } from '../base/index.js'
import { openAppendLog } from './log-files.js'
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
  const log = openAppendLog(request.logPath)
  try {
    const options: SpawnOptions = { detached: true, stdio: ['ignore', log, log], env: request.env }
    const child = asOrdinary(() => spawn(request.command, request.args, options))
    const exited = new Promise<ProcessEnd>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
    await once(child, 'spawn')
    child.unref()
    // It started, so it has a pid.
    const pid = child.pid as number
    const identity = await processIdentity(pid)
    return { identity: identity ?? { pid, startTime: 'ended', bootId: 'ended' }, exited }
  } catch (cause) {
    throw cannotLaunch(request.command, cause)
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
