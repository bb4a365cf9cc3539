import type { Node } from './node.js'

/** It was started and has not been ready since. */
export function isComing({ state }: Node): boolean {
  return state === 'starting' || state === 'loading'
}

export function canStart(node: Node): boolean {
  return isComing(node) || node.state === 'declared' || node.state === 'asleep' || node.state === 'stopped' || node.state === 'failed'
}
