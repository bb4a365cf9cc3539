import type { JudgedNode } from './node-file.js'

/** With fewer ready nodes than this share of a pool, doubtful ones are asked too rather than nobody. */
const PANIC_SHARE = 0.25

/** How many nodes of one pool there are, are ready, and are out by their judge's word: one on trial may be again at any moment. */
export interface PoolRoom {
  readonly size: number
  readonly ready: number
  readonly out: number
}

export function poolRoom(nodes: Iterable<JudgedNode>, pool: string): PoolRoom {
  let size = 0
  let ready = 0
  let out = 0
  for (const { state, standing, plan } of nodes) {
    if (plan.pool.name !== pool || state === 'declared' || state === 'draining' || state === 'asleep' || state === 'stopped') continue
    size += 1
    if (state === 'ready') ready += 1
    if (standing.ejection !== undefined || standing.trial !== undefined) out += 1
  }
  return { size, ready, out }
}

/** Whether one more ready node may be taken out. */
export function mayLoseOne({ size, ready, out }: PoolRoom, most: number): boolean {
  return out + 1 <= most * size && ready - 1 >= leastReady(size)
}

/** Too few are left. */
export function isShort({ size, ready }: PoolRoom): boolean {
  return ready < leastReady(size)
}

function leastReady(size: number): number {
  return Math.max(1, Math.ceil(PANIC_SHARE * size))
}
