/** Ports for what is killed and started again at the same place. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** Below the range from which the system takes ports for outgoing connections: it would give a dead engine's port to somebody else. */
const LOWEST = 15_000
const HIGHEST = firstEphemeral() - 1
const MOST_TRIES = 100

/** A port that nobody listens at now. */
export async function quietPort(): Promise<number> {
  for (let turn = 0; turn < MOST_TRIES; turn += 1) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (await isFree(port)) return port
  }
  throw new Error(`none of ${MOST_TRIES} ports from ${LOWEST} to ${HIGHEST} is free`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  const isOpen = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  if (!isOpen) return false
  server.close()
  await once(server, 'close')
  return true
}

function firstEphemeral(): number {
  try {
    return Math.max(LOWEST + 2_000, Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/u)[0]))
  } catch {
    return 32_768
  }
}
