import type { BalancerStatus } from '@plimsoll/core'
import { wrongInput } from '../wrong-input.js'
import { openConnection, type ConnectionQuery } from './open-connection.js'
import { nodesOf } from './wait-until-settled.js'

/** Drains, resumes or restarts the node that is meant, and returns its full id. Throws LB_WRONG_INPUT for a node that is not there. */
export async function actOnNode(query: ConnectionQuery, verb: 'drain' | 'resume' | 'restart', wanted: string): Promise<string> {
  const connection = await openConnection(query)
  try {
    const nodeId = nodeNamed(await connection.client.status(), wanted)
    await connection.client[verb](nodeId)
    return nodeId
  } finally {
    connection.close()
  }
}

/** `pool/node` for `pool/node`, or for the node alone where only one has that name. */
export function nodeNamed(status: BalancerStatus, wanted: string): string {
  const nodes = nodesOf(status)
  const found = nodes.filter((node) => node.id === wanted || node.name === wanted)
  const [first, second] = found
  if (first !== undefined && second === undefined) return first.id
  if (second !== undefined)
    throw wrongInput(`several nodes are called ${wanted}`, `say which: ${found.map((node) => node.id).join(' or ')}`)
  throw wrongInput(`there is no node ${wanted}`, `nodes are: ${nodes.map((node) => node.id).join(', ')}`)
}
