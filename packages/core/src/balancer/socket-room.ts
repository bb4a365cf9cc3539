import { readFileSync } from 'node:fs'
import type { Logger } from '../contracts/index.js'
import type { GatewayPlan } from '../topology/index.js'
import { SocketCount, type SocketRoom } from '../wire/index.js'

/** Descriptors that are kept for all else: listeners, logs, engines' pipes, probes, operators. */
const SPARE = 256
/** Where there are few: this part of them. */
const SPARE_PART = 1 / 4
/** Of what is spared: this part is not for the engines of those who are in, either. */
const NOT_FOR_ENGINES = 3 / 4
/** A client that is being answered holds its own connection and one to an engine. */
const SOCKETS_A_REQUEST = 2

/** Undefined where the limit of open files is not known. */
function socketRoom(): SocketRoom | undefined {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    const spare = Math.min(SPARE, Math.floor(limit * SPARE_PART))
    return limit > 0 ? { most: limit - spare, mostWithEngines: limit - Math.floor(spare * NOT_FOR_ENGINES) } : undefined
  } catch {
    return undefined
  }
}

/** Counts the sockets of all data threads. Says so where the limit of open files leaves less room than the gateway was given. */
export function createSocketCount({ maxConnections }: GatewayPlan, threads: number, log: Logger): SocketCount {
  const room = socketRoom()
  const wanted = SOCKETS_A_REQUEST * maxConnections
  if (room !== undefined && room.most < wanted)
    log.warn('gateway.few_descriptors', {
      maxConnections,
      room: Math.floor(room.most / SOCKETS_A_REQUEST),
      note: `the limit of open files (ulimit -n, LimitNOFILE) leaves room for fewer connections that are answered at once: ${wanted} and ${SPARE} to spare would do`,
    })
  return new SocketCount({ threads, room })
}
