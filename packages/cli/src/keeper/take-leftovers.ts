import {
  endLeftovers,
  findLeftovers,
  isSameProcess,
  readState,
  type LeftEngine,
  type Logger,
  type StateFile,
  type StatePaths,
} from '@plimsoll/core'
import type { Boot } from './boot.js'

/**
 * What an earlier balancer left: the engines to take over. Everything else that it left is ended first, and strangers are named. A balancer that its keeper
 * starts again always takes over: nobody asked for anything to end.
 */
export async function takeLeftovers(boot: Boot, paths: StatePaths, log: Logger): Promise<readonly LeftEngine[]> {
  const state = readState(paths.stateFile)
  const found = await findLeftovers({ name: boot.name, paths, state })
  for (const { id, why } of found.strangers) log.warn('balancer.stranger', { node: id, why, note: 'no signal was sent' })
  const adopts = boot.leftovers === 'adopt' || (await isOfThisKeeper(state))
  const { stopped } = await endLeftovers(adopts ? { ...found, engines: [] } : found)
  if (stopped.length > 0) log.warn('balancer.reaped', { nodes: stopped.join(' ') })
  return adopts ? found.engines : []
}

async function isOfThisKeeper(state: StateFile | undefined): Promise<boolean> {
  return state?.keeper?.pid === process.ppid && (await isSameProcess(state.keeper))
}
