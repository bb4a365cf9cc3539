import type { Node } from './node.js'
import type { Explanation } from './explain-end.js'

/** Engines take their port before they load. */
const BINDS_WITHIN_MS = 60_000

/** It was started and has not been ready since. */
export function isComing({ state }: Node): boolean {
  return state === 'starting' || state === 'loading'
}

export function canStart(node: Node): boolean {
  return isComing(node) || node.state === 'declared' || node.state === 'asleep' || node.state === 'stopped' || node.state === 'failed'
}

/** Its engine ended because it could not take its port: whatever answered there, and made it look ready, was another program. */
export function neverHadItsPort({ state }: Node, { kind }: Explanation, livedMs: number): boolean {
  return kind === 'port-taken' && livedMs < BINDS_WITHIN_MS && state !== 'draining' && state !== 'asleep' && state !== 'stopped'
}
