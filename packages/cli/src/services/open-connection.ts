import { LbError } from '@plimsoll/core/client'
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
export type SocketAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number }

export interface GatewayAddress {
  readonly socket: SocketAddress
  /** Of a gateway that speaks TLS: the file of the only certificate that is trusted. */
  readonly certFile?: string
}

/** A way to talk to the balancer that is meant, here or over ssh. */
export async function openConnection(query: ConnectionQuery): Promise<Connection> {
  const { createControlClient } = await import('./control-client.js')
  if (query.remote !== undefined) {
    const { openRemote } = await import('./ssh-tunnel.js')
    const remote = await openRemote(query.remote, query)
    return {
      client: createControlClient({ socketPath: remote.controlSocket, filesAreHere: false }),
      target: undefined,
      reach: async (url) => {
        if (isSecure(url)) throw secureOverThere(query.remote ?? '')
        return { socket: { socketPath: await remote.forward(tcpOf(url)) } }
      },
      close: () => remote.close(),
    }
  }
  const { findTarget } = await import('./find-target.js')
  const target = findTarget(query)
  const onSilence = async () => (await import('./explain-silence.js')).explainSilence(target)
  return {
    client: createControlClient({ socketPath: target.paths.socketPath, onSilence }),
    target,
    reach: async (url) => addressOf(url, target),
    close: () => undefined,
  }
}

function addressOf(url: string, { state, name }: Target): GatewayAddress {
  if (url.startsWith('unix:')) return { socket: { socketPath: url.slice('unix:'.length) } }
  if (!isSecure(url)) return { socket: hostAndPort(url) }
  if (state?.certFile === undefined) throw certificateUnknown(name)
  return { socket: hostAndPort(url), certFile: state.certFile }
}

function isSecure(url: string): boolean {
  return url.startsWith('https:')
}

function hostAndPort(url: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  // What listens everywhere is reached on loopback.
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port: Number(port || (protocol === 'https:' ? 443 : 80)) }
}

function tcpOf(url: string): string {
  if (url.startsWith('unix:')) return url.slice('unix:'.length)
  const { host, port } = hostAndPort(url)
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The certificate lies over there: from here nobody could tell whether the right one is shown. */
function secureOverThere(remote: string): LbError {
  return new LbError('a gateway that speaks TLS is asked on its own machine', {
    code: 'LB_TLS_REMOTE',
    source: 'operator',
    hint: `ssh ${remote.replace(/^ssh:\/\//, '')} lb ask "..."`,
  })
}

function certificateUnknown(name: string): LbError {
  return new LbError(`the state file of ${name} does not name the gateway's certificate`, {
    code: 'LB_CERTIFICATE_UNKNOWN',
    source: 'operator',
    hint: 'it was started by an older lb: lb down, then lb up',
  })
}
