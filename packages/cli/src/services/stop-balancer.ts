import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { LbError, endLeftovers, findLeftovers, isLbError, isSameProcess, removeState, type StopRequest } from '@plimsoll/core'
import { openConnection, type Connection, type ConnectionQuery } from './open-connection.js'
import { endOwnProcess } from './end-own-process.js'
import type { Target } from './find-target.js'

export interface StopOptions {
  /** How long running requests may take to end; undefined = the topology's own. */
  readonly drainMs?: number | undefined
  /** Cut what is running. */
  readonly force: boolean
  /** Told about once a second how many requests still run. */
  readonly onDraining?: (inFlight: number) => void
}

export interface StopResult {
  readonly name: string
  readonly how: 'stopped' | 'reaped'
  /** Engines that a killed balancer had left, ended now. */
  readonly engines: readonly string[]
  /** Ids of rollouts that were not over. */
  readonly rollouts: readonly string[]
  /** What its state file names and what is not ours: no signal was sent. */
  readonly strangers: readonly string[]
}

const LOOK_EVERY_MS = 50
/** Beyond the drain: engines get their own grace to end. */
const MARGIN_MS = 60_000
const LONGEST_TOPOLOGY_DRAIN_MS = 3_600_000

/** Stops a balancer through its control socket; where none answers, what its state file names. Returns when nothing of it runs any more. */
export async function stopBalancer(query: ConnectionQuery, options: StopOptions): Promise<StopResult> {
  const connection = await openConnection(query)
  try {
    const { name, pools } = await connection.client.status()
    await connection.client.stop(requestOf(options))
    await untilGone(connection, options)
    const rollouts = pools.flatMap(({ rollout }) => (rollout?.endedAtMs === null ? [rollout.id] : []))
    return { name, how: 'stopped', engines: [], rollouts, strangers: [] }
  } catch (error) {
    if (connection.target === undefined || !canReap(error, options)) throw error
    return reap(connection.target, error)
  } finally {
    connection.close()
  }
}

function requestOf({ drainMs, force }: StopOptions): StopRequest {
  return { ...(drainMs === undefined ? {} : { drainMs }), ...(force ? { force } : {}) }
}

/** A balancer that is only slow must not be taken for a dead one, unless it was asked for. */
function canReap(error: unknown, { force }: StopOptions): boolean {
  return isLbError(error) && (error.code === 'LB_NOT_RUNNING' || (error.code === 'LB_NO_ANSWER' && force))
}

async function untilGone({ client, target }: Connection, options: StopOptions): Promise<void> {
  const deadline = performance.now() + (options.force ? 0 : (options.drainMs ?? LONGEST_TOPOLOGY_DRAIN_MS)) + MARGIN_MS
  let toldAt = performance.now()
  while (!(await isGone(target, client))) {
    if (performance.now() > deadline) throw stillThere(target)
    if (performance.now() - toldAt > 1000) {
      toldAt = performance.now()
      await client.status().then(
        (status) => options.onDraining?.(status.pools.reduce((sum, pool) => sum + pool.inFlight, 0)),
        () => undefined,
      )
    }
    await sleep(LOOK_EVERY_MS)
  }
}

/** Here, both processes are gone; over there, nobody answers any more. */
async function isGone(target: Target | undefined, client: Connection['client']): Promise<boolean> {
  if (target?.state === undefined)
    return client.status().then(
      () => false,
      () => true,
    )
  const { balancer, keeper } = target.state
  if (keeper !== undefined && (await isSameProcess(keeper))) return false
  return !(await isSameProcess(balancer))
}

function stillThere(target: Target | undefined): LbError {
  return new LbError(`the balancer ${target === undefined ? '' : `of ${target.name} `}has not ended in time`, {
    code: 'LB_STOP_FAILED',
    source: 'lb',
    hint: 'lb down --force cuts what is running',
  })
}

/** Ends keeper and balancer where they still live, then the engines, and clears what was left. What is not ours gets no signal. */
async function reap(target: Target, why: unknown): Promise<StopResult> {
  const { state, paths, name } = target
  const strangers: string[] = []
  for (const process of [state?.keeper, state?.balancer]) {
    const refused = process === undefined ? undefined : await endOwnProcess(process)
    if (refused !== undefined) strangers.push(refused)
  }
  const found = await findLeftovers({ name, paths, state })
  // A torn state file says nothing, but marks do.
  if (state === undefined && found.orphans.length === 0) throw why
  const { stopped } = await endLeftovers(found)
  removeState(paths.stateFile)
  rmSync(paths.socketPath, { force: true })
  rmSync(paths.runtimeDir, { recursive: true, force: true })
  return {
    name,
    how: 'reaped',
    engines: stopped,
    rollouts: [],
    strangers: [...strangers, ...found.strangers.map(({ id, why: is }) => `${id}: ${is}`)],
  }
}
