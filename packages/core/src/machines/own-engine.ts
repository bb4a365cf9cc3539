import { realpathSync } from 'node:fs'
import { bootIdOf, isSameProcess, type ProcessIdentity } from './identity.js'
import { MARK_VARIABLE } from './marks.js'
import { openFileOf, ownerOf, variableOf } from './process-facts.js'
import { readProcess } from './process-table.js'

/** What was written down about an engine by a balancer that is gone. Anything may stand there. */
export interface RecordedEngine {
  readonly identity: ProcessIdentity
  readonly mark: string
  /** Where the output of this node's engines goes: known from the node, not from the record. */
  readonly logPath: string
}

/** `gone`: nothing lives there, which is no news. `stranger`: something lives there that is not ours to touch, and why. */
export type EngineProof = { readonly is: 'ours' } | { readonly is: 'gone' | 'stranger'; readonly why: string }

const HIGHEST_PID = 2 ** 31 - 1

/**
 * Whether a recorded process is the engine that was launched: pid, start time and boot as written, this user's, and the node's mark in its environment.
 * Where a program has written over its environment, its output going to the node's own log counts instead. Outside Linux the environment cannot be read, and
 * the first four must do.
 */
export async function proveOwnEngine({ identity, mark, logPath }: RecordedEngine): Promise<EngineProof> {
  const { pid } = identity
  if (!Number.isSafeInteger(pid) || pid < 2 || pid > HIGHEST_PID) return stranger(`${String(pid)} cannot be the pid of an engine`)
  if (typeof identity.startTime !== 'string' || typeof identity.bootId !== 'string') return stranger('its record is not whole')
  if (pid === process.pid || pid === process.ppid) return stranger(`process ${pid} is lb itself`)
  const row = await readProcess(pid)
  if (row === undefined) return { is: 'gone', why: `process ${pid} has ended` }
  if (identity.bootId !== bootIdOf()) return stranger(`process ${pid} was written down before the machine's last boot`)
  if (!(await isSameProcess(identity))) return stranger(`process ${pid} is another one by now: it started at another time`)
  if ((await ownerOf(pid)) !== process.getuid?.()) return stranger(`process ${pid} belongs to another user`)
  return carriesMark(pid, mark, logPath) ? { is: 'ours' } : stranger(`process ${pid} does not carry the mark of the node`)
}

function carriesMark(pid: number, mark: string, logPath: string): boolean {
  if (process.platform !== 'linux') return true
  const found = variableOf(pid, MARK_VARIABLE)
  if (typeof found === 'string') return found === mark
  const log = realPathOf(logPath)
  return log !== undefined && [1, 2].some((descriptor) => openFileOf(pid, descriptor) === log)
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function stranger(why: string): EngineProof {
  return { is: 'stranger', why }
}
