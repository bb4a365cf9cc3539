import type { Clock } from '../base/index.js'
import type { Assembly } from './assembly.js'
import type { CloseOptions } from './options.js'
import { pause } from './pause.js'
import type { Steering } from './steering.js'

/** Why new requests are refused meanwhile. */
export const STOPPING = 'this balancer is stopping and takes no new requests'
/** How long `/ready` says no before the listener closes, so that whoever watches it can turn away. */
const READY_GRACE_MS = 200

/** What a balancer is made of once it was started. */
export interface Running {
  readonly assembly: Assembly
  readonly steering: Steering
}

interface WindDownOptions extends CloseOptions {
  readonly clock: Clock
  /** Ends all waits, and engines without asking. */
  readonly forced: AbortSignal
  /** Clients come in by sockets of ours. */
  readonly isOpen: boolean
}

/** Lets a balancer end, step by step: nothing is begun any more, no client comes in, running requests end, then engines, then connections. */
export async function windDown({ assembly, steering }: Running, { clock, forced, isOpen, ...options }: WindDownOptions): Promise<void> {
  const drainMs = options.drainMs ?? Math.max(...steering.plans.topology.pools.map((pool) => pool.drainMs))
  steering.stop()
  const { dataPath, threads } = assembly
  assembly.discovery.stop()
  threads?.refuse(STOPPING)
  if (isOpen) await pause(clock, READY_GRACE_MS, forced)
  dataPath.listeners.stopAccepting()
  threads?.stopAccepting()
  forced.addEventListener('abort', () => dataPath.listeners.cutAll())
  await assembly.fleet.close({ drainMs, engines: options.engines ?? 'stop', forced })
  assembly.stopAsking()
  dataPath.cutAll()
  await threads?.close()
}
