import type { Server } from 'node:net'
import type { Clock } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { errorBody } from '../dialects/index.js'
import { LbError } from '../errors/index.js'
import type { GatewayPlan } from '../topology/index.js'
import { Door, type Exchange, type HeadRefusal, type ListenTarget, type SocketCount } from '../wire/index.js'
import { CertificateFiles } from './certificate-files.js'
import { clearSocketPath, pathFailure } from './socket-path.js'

/** Where to listen: an inherited descriptor of a listening socket, an address, or a unix socket path. */
export type Listenable =
  | { readonly fd: number; readonly url: string }
  | { readonly host: string; readonly port: number }
  | { readonly path: string }

export interface ListenersOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly sockets: SocketCount
  readonly onExchange: (exchange: Exchange) => void
}

/** The gateway's own listeners: opened together, closed in two steps. */
export class Listeners {
  private door: Door | undefined
  private certificate: CertificateFiles | undefined

  constructor(private readonly options: ListenersOptions) {}

  /** Throws LB_CERTIFICATE where the certificate cannot be used, LB_CANNOT_LISTEN for a path that is taken. TLS is for TCP; a unix socket is guarded by its file. */
  async open(listenable: Listenable, plan: GatewayPlan): Promise<string> {
    this.door ??= new Door({ ...this.options, policy: plan, refusalBody })
    if ('path' in listenable) await clearSocketPath(listenable.path)
    const secure = plan.tls !== undefined && !('path' in listenable)
    if (secure) this.certificate ??= new CertificateFiles(plan.tls, this.options)
    const server = await this.door.listen(targetOf(listenable), secure ? this.certificate?.current : undefined).catch((error: unknown) => {
      throw 'path' in listenable ? pathFailure(listenable.path, error) : error
    })
    if (secure) this.certificate?.serve(server)
    return urlOf(server, listenable, plan)
  }

  /** Applies changed limits to the connections to come. */
  use(plan: GatewayPlan): void {
    this.door?.use(plan)
  }

  /** Takes no new connections; requests in flight go on. */
  stopAccepting(): void {
    this.certificate?.stop()
    this.door?.stopAccepting()
  }

  /** Cuts what is left. */
  cutAll(): void {
    this.door?.cutAll()
  }
}

/** Answers a head that breaks the rules, and closes. */
export function refuse(exchange: Exchange, refusal: HeadRefusal): void {
  const body = Buffer.from(refusalBody(refusal))
  exchange.respond({
    status: refusal.status,
    headers: { 'content-type': 'application/json', 'content-length': String(body.byteLength), connection: 'close' },
  })
  exchange.end(body)
}

/** A refusal in the shape that OpenAI's clients know. */
function refusalBody({ status, code, message }: HeadRefusal): string {
  return errorBody(new LbError(message, { code, source: 'client', httpStatus: status }), '')
}

function targetOf(listenable: Listenable): ListenTarget {
  return 'fd' in listenable ? { fd: listenable.fd } : listenable
}

/** The URL of a handed socket as clients must write it. */
export function servedUrl(url: string, plan: GatewayPlan): string {
  return plan.tls === undefined ? url : url.replace(/^http:/, 'https:')
}

function urlOf(server: Server, listenable: Listenable, plan: GatewayPlan): string {
  if ('fd' in listenable) return servedUrl(listenable.url, plan)
  if ('path' in listenable) return `unix:${listenable.path}`
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : listenable.port
  return servedUrl(`http://${listenable.host.includes(':') ? `[${listenable.host}]` : listenable.host}:${port}`, plan)
}
