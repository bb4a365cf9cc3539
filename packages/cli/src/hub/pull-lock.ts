import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { LbError, isSameProcess, ownIdentity, type ProcessIdentity } from '@plimsoll/core'

/** One pull at a time into one folder: two would write into the same part. Throws LB_PULL_RUNNING. */
export async function lockPull(path: string): Promise<() => void> {
  mkdirSync(dirname(path), { recursive: true })
  const own = await ownIdentity()
  for (;;) {
    try {
      writeFileSync(path, JSON.stringify(own), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EEXIST') throw error
    }
    const holder = readHolder(path)
    if (holder !== undefined && (await isSameProcess(holder))) throw running(holder)
    rmSync(path, { force: true })
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity
  } catch {
    return undefined
  }
}

function running({ pid }: ProcessIdentity): LbError {
  return new LbError(`process ${pid} is fetching this model already`, {
    code: 'LB_PULL_RUNNING',
    source: 'operator',
    hint: 'wait for it; the same command then finds everything there',
  })
}
