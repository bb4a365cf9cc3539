import type { ControlClient } from './control-client.js'
import type { Target, TargetQuery } from './find-target.js'

export interface ConnectionQuery extends TargetQuery {
  /** `ssh://[user@]host[:port]`. */
  readonly remote?: string | undefined
}

export interface Connection {
  readonly client: ControlClient
  /** Undefined for a remote balancer. */
  readonly target: Target | undefined
  /** Where to reach a TCP address of the balancer's machine from here. */
  reach(url: string): Promise<GatewayAddress>
  close(): void
}

/** What node:http takes. */
export type GatewayAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number }

/** A way to talk to the balancer that is meant, here or over ssh. */
export async function openConnection(query: ConnectionQuery): Promise<Connection> {
  const { createControlClient } = await import('./control-client.js')
  if (query.remote !== undefined) {
    const { openRemote } = await import('./ssh-tunnel.js')
    const remote = await openRemote(query.remote, query)
    return {
      client: createControlClient({ socketPath: remote.controlSocket, filesAreHere: false }),
      target: undefined,
      reach: async (url) => ({ socketPath: await remote.forward(tcpOf(url)) }),
      close: () => remote.close(),
    }
  }
  const { findTarget } = await import('./find-target.js')
  const target = findTarget(query)
  const onSilence = async () => (await import('./explain-silence.js')).explainSilence(target)
  return {
    client: createControlClient({ socketPath: target.paths.socketPath, onSilence }),
    target,
    reach: (url) => Promise.resolve(addressOf(url)),
    close: () => undefined,
  }
}

function addressOf(url: string): GatewayAddress {
  return url.startsWith('unix:') ? { socketPath: url.slice('unix:'.length) } : hostAndPort(url)
}

function hostAndPort(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  // What listens everywhere is reached on loopback.
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port: Number(port || 80) }
}

function tcpOf(url: string): string {
  if (url.startsWith('unix:')) return url.slice('unix:'.length)
  const { host, port } = hostAndPort(url)
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
