import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { claimFile } from '../base/index.js'
import { LbError } from '../errors/index.js'

/** The part of a process's identity that a lock needs to name its holder. */
export interface LockHolder {
  readonly pid: number
}

export interface Lock {
  release(): void
}

/**
 * One winner per path: the lock file names its holder; that of a dead or recycled process is taken over.
 * Throws LB_ALREADY_RUNNING that names the holder.
 */
export async function acquireLock<Holder extends LockHolder>(
  path: string,
  own: Holder,
  isAlive: (holder: Holder) => Promise<boolean>,
): Promise<Lock> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const claim = await claimFile({ path, own, isAlive })
  if (!claim.won) throw heldBy(claim.holder)
  return { release: claim.release }
}

function heldBy(holder: LockHolder | undefined): LbError {
  const who = holder === undefined ? 'another lb' : `process ${holder.pid}`
  return new LbError(`this topology is already running (${who} keeps it)`, {
    code: 'LB_ALREADY_RUNNING',
    source: 'operator',
    hint: 'see it with `lb status`, stop it with `lb down`',
  })
}
