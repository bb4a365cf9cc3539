import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { LbError } from '../errors/index.js'
import { readJson } from './durable-file.js'

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
  for (let round = 0; round < 10; round += 1) {
    if (linkWhole(path, own)) return { release: () => releaseOwn(path, own) }
    const holder = readJson(path) as Holder | undefined
    if (holder !== undefined && (await isAlive(holder))) throw heldBy(holder)
    takeAway(path, own, holder)
  }
  throw heldBy(readJson(path) as Holder | undefined)
}

/** Links a finished file into place: nobody reads a half-written one, and only one contender can win. */
function linkWhole(path: string, own: LockHolder): boolean {
  const draft = `${path}.draft-${own.pid}`
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch {
    return false
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Moves a stale lock aside; when it was replaced since it was read, the new one is put back. */
function takeAway(path: string, own: LockHolder, stale: LockHolder | undefined): void {
  const aside = `${path}.stale-${own.pid}`
  try {
    renameSync(path, aside)
    const moved = readJson(aside)
    if (JSON.stringify(moved) !== JSON.stringify(stale)) linkSync(aside, path)
  } catch {
    // Another contender was faster.
  } finally {
    rmSync(aside, { force: true })
  }
}

function releaseOwn(path: string, own: LockHolder): void {
  try {
    if (readFileSync(path, 'utf8') === JSON.stringify(own)) rmSync(path, { force: true })
  } catch {
    // Gone already.
  }
}

function heldBy(holder: LockHolder | undefined): LbError {
  const who = holder === undefined ? 'another lb' : `process ${holder.pid}`
  return new LbError(`this topology is already running (${who} keeps it)`, {
    code: 'LB_ALREADY_RUNNING',
    source: 'operator',
    hint: 'see it with `lb status`, stop it with `lb down`',
  })
}
