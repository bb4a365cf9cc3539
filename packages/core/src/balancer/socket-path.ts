import { existsSync, lstatSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { LbError, messageOf } from '../errors/index.js'
import { nothingListens } from '../wire/index.js'

/** Takes away the socket that a killed process left where a gateway is to listen, and nothing else. Throws LB_CANNOT_LISTEN. */
export async function clearSocketPath(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isSocket()) throw cannotListen(path, 'something else than a socket is there, which lb does not take away')
  if (!(await nothingListens({ socketPath: path, host: 'localhost', port: 0 }))) throw cannotListen(path, 'another program listens there')
  rmSync(path, { force: true })
}

/** Why nobody can listen at a path, from what the system says, which is the same for a folder that is not there and one without rights. */
export function pathFailure(path: string, cause: unknown): LbError {
  return cannotListen(path, existsSync(dirname(path)) ? messageOf(cause) : 'its folder is not there', cause)
}

function cannotListen(path: string, why: string, cause?: unknown): LbError {
  const hint = 'make way there, or change gateway.listen in the topology file'
  return new LbError(`the gateway cannot listen on unix:${path}: ${why}`, { code: 'LB_CANNOT_LISTEN', source: 'operator', hint, cause })
}
