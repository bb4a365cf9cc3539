import { LbError, acquireLock, isSameProcess, ownIdentity, readState, type StatePaths } from '@plimsoll/core/keeper'

/** Makes this process the one keeper of a topology, or says who is. A lock left by a dead keeper is taken over, unless its balancer still serves. */
export async function takeTopology(name: string, paths: StatePaths): Promise<{ release(): void }> {
  const lock = await acquireLock(paths.lockPath, await ownIdentity(), isSameProcess)
  const state = readState(paths.stateFile)
  if (state !== undefined && (await isSameProcess(state.balancer))) {
    lock.release()
    throw new LbError(`${name} is already running (balancer process ${state.balancer.pid}; its keeper was killed)`, {
      code: 'LB_ALREADY_RUNNING',
      source: 'operator',
      hint: 'see it with `lb status`, or stop it with `lb down`',
    })
  }
  return lock
}
