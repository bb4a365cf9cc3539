import { rmSync } from 'node:fs'
import { isSameProcess, runningLeftovers } from '@plimsoll/core'
import { knownFolders, targetOf, type Target } from './find-target.js'

export interface PurgeCandidates {
  /** Stopped: their logs and state can go. */
  readonly stopped: readonly Target[]
  /** Something of them still runs: they are left alone. */
  readonly running: readonly string[]
}

/** Topologies that have left files, sorted by whether anything of them still runs. */
export async function purgeCandidates(name: string | undefined): Promise<PurgeCandidates> {
  const names = name === undefined ? knownFolders() : knownFolders().filter((each) => each === name)
  const targets = names.map((each) => targetOf(each))
  const alive = await Promise.all(targets.map(isAlive))
  return {
    stopped: targets.filter((_, index) => alive[index] === false),
    running: targets.filter((_, index) => alive[index] === true).map((target) => target.name),
  }
}

export function purge(targets: readonly Target[]): void {
  for (const { paths } of targets) {
    rmSync(paths.runtimeDir, { recursive: true, force: true })
    rmSync(paths.stateDir, { recursive: true, force: true })
    rmSync(paths.socketPath, { force: true })
  }
}

async function isAlive({ name, state, paths }: Target): Promise<boolean> {
  for (const process of [state?.balancer, state?.keeper]) if (process !== undefined && (await isSameProcess(process))) return true
  return (await runningLeftovers({ name, state, paths })).length > 0
}
