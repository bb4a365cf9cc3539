import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readProcess } from './process-table.js'

/** Names one life of one process on one boot of one machine: a recycled pid is another identity. */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque start time; equal only for the same life. */
  readonly startTime: string
  /** Opaque; changes with each boot. */
  readonly bootId: string
}

/** Undefined when no such process lives. */
export async function processIdentity(pid: number): Promise<ProcessIdentity | undefined> {
  const row = await readProcess(pid)
  return row === undefined ? undefined : { pid, startTime: row.startTime, bootId: bootIdOf() }
}

export async function ownIdentity(): Promise<ProcessIdentity> {
  const own = await processIdentity(process.pid)
  return own ?? { pid: process.pid, startTime: 'unknown', bootId: bootIdOf() }
}

/** Whether exactly this process still lives: same pid, same start time, same boot. */
export async function isSameProcess(identity: ProcessIdentity): Promise<boolean> {
  if (identity.bootId !== bootIdOf()) return false
  const row = await readProcess(identity.pid)
  return row !== undefined && row.startTime === identity.startTime
}

/** Names this boot of this machine. */
export function bootIdOf(): string {
  try {
    return process.platform === 'linux'
      ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      : execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
