import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach } from 'vitest'
import { baseEnvironment } from './base-environment.js'
import { spawnEngine, type SpawnedProcess } from './spawn-engine.js'

/** Waits for a condition; fails with `what` after a deadline that a loaded machine can meet. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain: ${what}`)
    await sleep(10)
  }
}

export function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false
  } catch {
    return false
  }
}

/** A folder that goes when the test ends. */
export function scratchFolder(): () => string {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'lb-test-'))
    folders.push(folder)
    return folder
  }
}

export interface ScriptProcess extends SpawnedProcess {
  readonly logPath: string
  readonly log: () => string
}

/** Starts Node.js on a script; what still lives when the test ends is killed. */
export function scriptRunner(folder: () => string): (script: string, mark?: string) => Promise<ScriptProcess> {
  const started: SpawnedProcess[] = []
  afterEach(async () => {
    for (const { identity, exited } of started.splice(0)) {
      if (isAlive(identity.pid)) process.kill(identity.pid, 'SIGKILL')
      await exited
    }
  })
  return async (script, mark = 'test/none/0') => {
    const logPath = join(folder(), 'engine.log')
    const env = baseEnvironment({ LB_NODE: mark }, process.env)
    const spawned = await spawnEngine({ command: process.execPath, args: ['-e', script], env, logPath })
    started.push(spawned)
    return { ...spawned, logPath, log: () => readFileSync(logPath, 'utf8') }
  }
}
