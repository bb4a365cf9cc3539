import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { claimFile } from '../base/index.js'
import { LbError } from '../errors/index.js'
import { isSameProcess, ownIdentity } from './identity.js'

/** Outside the ephemeral ranges of Linux (32768 and up) and macOS (49152 and up), and free of well-known engines' ports. */
const FIRST_PORT = 18_400
const LAST_PORT = 19_399

export interface PortReservation {
  readonly port: number
  /** Gives the port back to other balancers of this user. */
  release(): void
}

/** A loopback port that no other balancer of this user has taken and that can be bound now. Throws LB_NO_FREE_PORT. */
export async function reservePort(skip: ReadonlySet<number> = new Set()): Promise<PortReservation> {
  const folder = claimsFolder()
  const own = await ownIdentity()
  for (let port = FIRST_PORT; port <= LAST_PORT; port += 1) {
    if (skip.has(port)) continue
    const claim = await claimFile({ path: join(folder, String(port)), own, isAlive: isSameProcess })
    if (!claim.won) continue
    if (await canBind(port)) return { port, release: claim.release }
    claim.release()
  }
  throw new LbError(`no free port from ${FIRST_PORT} to ${LAST_PORT}`, {
    code: 'LB_NO_FREE_PORT',
    source: 'operator',
    hint: 'stop other topologies with `lb down`, or look for what holds these ports: ss -ltnp',
  })
}

/** Claims the port on which an engine of an earlier balancer still listens. Undefined when another living balancer holds it by now, or it is no port of engines. */
export async function reclaimPort(port: number): Promise<PortReservation | undefined> {
  if (!Number.isInteger(port) || port < FIRST_PORT || port > LAST_PORT) return undefined
  const claim = await claimFile({ path: join(claimsFolder(), String(port)), own: await ownIdentity(), isAlive: isSameProcess })
  return claim.won ? { port, release: claim.release } : undefined
}

function claimsFolder(): string {
  const folder = join(tmpdir(), `plimsoll-ports-${userInfo().uid}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** Whether a loopback port can be bound at this moment. */
export function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
