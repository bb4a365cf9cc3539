import type { NodeState } from '../contracts/index.js'
import { LbError } from '../errors/index.js'

export function unknownNode(nodeId: string, known: readonly string[]): LbError {
  return new LbError(`there is no node ${nodeId}`, {
    code: 'LB_UNKNOWN_NODE',
    source: 'operator',
    httpStatus: 404,
    hint: `known: ${known.join(', ')}`,
  })
}

export function notDraining(nodeId: string, state: NodeState): LbError {
  return new LbError(`${nodeId} is ${state}, not draining`, {
    code: 'LB_NODE_NOT_DRAINING',
    source: 'operator',
    httpStatus: 409,
    hint:
      state === 'asleep'
        ? 'it rests while another pool has its place; a request for its model wakes it'
        : 'only a draining, ejected, stopped or failed node can be resumed',
  })
}

export function notLaunched(nodeId: string): LbError {
  return new LbError(`${nodeId} was attached, not launched: lb cannot restart it`, {
    code: 'LB_NODE_NOT_LAUNCHED',
    source: 'operator',
    httpStatus: 409,
    hint: 'restart the server itself; its node comes back by its probes',
  })
}
