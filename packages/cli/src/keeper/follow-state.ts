import {
  messageOf,
  ownIdentity,
  processIdentity,
  writeState,
  type Balancer,
  type Logger,
  type StateFile,
  type StatePaths,
  type Topology,
} from '@plimsoll/core'
import type { Boot } from './boot.js'

export interface FollowedBalancer {
  readonly balancer: Balancer
  readonly boot: Boot
  readonly topology: Topology
}

/** Keeps the state file true while the balancer lives. */
export async function followState(
  { balancer, boot, topology }: FollowedBalancer,
  paths: StatePaths,
  log: Logger,
): Promise<{ write(): void }> {
  const own = await ownIdentity()
  const keeper = await processIdentity(process.ppid)
  const startedAtMs = Date.now()
  const listen = [...boot.sockets.map((socket) => socket.url), ...boot.unixListeners.map((path) => `unix:${path}`)]
  const certFile = topology.gateway.tls?.certFile
  let written: string | undefined
  const write = (): void => {
    // Attached servers are nobody's to end; a thousand that join would be a thousand writes to the disk.
    const nodes = balancer.recordedNodes().filter(({ process: engine, logPath }) => engine !== undefined || logPath !== undefined)
    const text = JSON.stringify(nodes)
    if (text === written) return
    const state: StateFile = {
      v: 1,
      name: boot.name,
      ...(boot.topologyFile === undefined ? {} : { file: boot.topologyFile }),
      startedAtMs,
      balancer: own,
      ...(keeper === undefined ? {} : { keeper }),
      listen,
      ...(certFile === undefined ? {} : { certFile }),
      nodes,
    }
    try {
      writeState(paths.stateFile, state)
      written = text
    } catch (error) {
      // Serving goes on; a crash now would leave engines that the next start finds only by their ports.
      log.error('balancer.state_not_written', { error: messageOf(error) })
    }
  }
  balancer.on('record', write)
  return { write }
}
