import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isSameProcess, parseResolvedTopology, readJson, readState, statePaths, type Topology } from '@plimsoll/core'

/** The topology that a running balancer was started with, from its boot file; undefined when none of that name runs. */
export async function runningTopology(name: string): Promise<Topology | undefined> {
  const paths = statePaths(name)
  const state = readState(paths.stateFile)
  if (state === undefined || !(await isSameProcess(state.balancer))) return undefined
  try {
    const boots = readdirSync(paths.runtimeDir).filter((file) => /^boot-\d+\.json$/.test(file))
    const [newest] = boots.map((file) => join(paths.runtimeDir, file)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    const boot = newest === undefined ? undefined : (readJson(newest) as { topologyPath?: string } | undefined)
    return boot?.topologyPath === undefined ? undefined : parseResolvedTopology(readFileSync(boot.topologyPath, 'utf8'))
  } catch {
    return undefined
  }
}
