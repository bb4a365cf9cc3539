import { createServer, type Server, type Socket } from 'node:net'
import { leanTls, MemberList, type Clock } from '../base/index.js'
import { DoorConnection } from './door-connection.js'
import { defaultDoorLimits, type DoorContext, type DoorLimits } from './door-context.js'
import type { Exchange } from './exchange.js'
import { HeadParser } from './llhttp.js'
import type { HeadRefusal } from './request-head.js'
import { statusLine } from './response-text.js'
import { SocketCount } from './socket-count.js'
import { TimerWheel } from './timer-wheel.js'
import { createTrustedProxies, type TrustedProxies } from './trusted-proxies.js'

/** Where to listen: an inherited descriptor of a listening socket, an address, or a unix socket path. */
export type ListenTarget = { readonly fd: number } | { readonly host: string; readonly port: number } | { readonly path: string }

/** A certificate with its key, PEM. */
export interface Certificate {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** What an operator may change while the door is open. */
export interface DoorPolicy {
  readonly maxConnections: number
  /** From one address; loopback, unix sockets and trusted proxies are not counted. */
  readonly connectionsPerAddress: number
  readonly trustedProxies: readonly string[]
}

export interface DoorOptions {
  readonly clock: Clock
  readonly policy: DoorPolicy
  readonly limits?: Partial<DoorLimits>
  /** Shared with the doors of other threads; default: one of its own. */
  readonly sockets?: SocketCount
  readonly onExchange: (exchange: Exchange) => void
  /** The body of a refusal, as the client's dialect has it. */
  readonly refusalBody: (refusal: HeadRefusal) => string
}

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/
const BACKLOG = 4096
const HANDSHAKE_MS = 10_000
const TOO_MANY: HeadRefusal = { status: 503, code: 'LB_TOO_MANY_CONNECTIONS', message: 'too many connections are open' }
const NO_DESCRIPTOR: HeadRefusal = {
  status: 503,
  code: 'LB_NO_DESCRIPTOR',
  message: 'lb has no file descriptor left for another connection: its limit of open files is reached',
}

/** The `listen` door: plain or TLS sockets, HTTP/1.1 read by llhttp and our own head rules, one exchange at a time on each connection. */
export class Door {
  private readonly servers = new Set<Server>()
  private readonly connections = new MemberList<DoorConnection>()
  private readonly perAddress = new Map<string, number>()
  private readonly context: DoorContext
  private readonly sockets: SocketCount
  private policy: DoorPolicy
  private trusted: TrustedProxies
  private stopping = false

  constructor(private readonly options: DoorOptions) {
    this.policy = options.policy
    this.sockets = options.sockets ?? new SocketCount()
    this.trusted = createTrustedProxies(options.policy.trustedProxies)
    this.context = {
      parser: new HeadParser(),
      wheel: new TimerWheel(options.clock),
      limits: { ...defaultDoorLimits, ...options.limits },
      trusted: {
        trusts: (address) => this.trusted.trusts(address),
        clientAddress: (peer, headers) => this.trusted.clientAddress(peer, headers),
      },
      onExchange: options.onExchange,
      refusal: (refusal) => refusalText(refusal, options.refusalBody(refusal)),
      closing: () => this.stopping,
      onAnswered: (connection) => {
        if (this.stopping) connection.closeAfterAnswer()
      },
      onClosed: (connection) => this.forget(connection),
    }
  }

  /** Connections that are open. */
  get size(): number {
    return this.connections.size
  }

  /** Applies changed limits to the connections to come. */
  use(policy: DoorPolicy): void {
    this.policy = policy
    this.trusted = createTrustedProxies(policy.trustedProxies)
  }

  /** Opens a listener; resolves with it once it listens. */
  async listen(target: ListenTarget, certificate?: Certificate): Promise<Server> {
    const server = certificate === undefined ? this.plain() : this.secure(certificate)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ ...target, backlog: BACKLOG }, resolve)
    })
    this.servers.add(server)
    return server
  }

  /** Takes no new connections; idle ones are closed, busy ones close after their answer. */
  stopAccepting(): void {
    this.stopping = true
    for (const server of this.servers) server.close()
    for (const connection of this.connections.all()) connection.closeAfterAnswer()
  }

  /** Cuts what is left. */
  cutAll(): void {
    for (const connection of this.connections.all()) connection.destroy()
  }

  private plain(): Server {
    return createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => this.accept(socket))
  }

  private secure({ cert, key }: Certificate): Server {
    const options = { cert, key, allowHalfOpen: true, noDelay: true, ALPNProtocols: ['http/1.1'], handshakeTimeout: HANDSHAKE_MS }
    const server = leanTls().createServer(options, (socket) => this.accept(socket))
    // A failed handshake is the client's affair; its socket is closed already.
    server.on('tlsClientError', () => undefined)
    return server
  }

  private accept(socket: Socket): void {
    const address = socket.remoteAddress ?? 'unix'
    const counted = address !== 'unix' && !LOOPBACK.test(address) && !this.trusted.trusts(address)
    const many = this.sockets.clients >= this.policy.maxConnections
    if (many || (counted && (this.perAddress.get(address) ?? 0) >= this.policy.connectionsPerAddress))
      return this.turnAway(socket, TOO_MANY)
    if (this.sockets.isFull) return this.turnAway(socket, NO_DESCRIPTOR)
    const connection = new DoorConnection(socket, this.context, counted ? address : undefined)
    this.connections.add(connection)
    this.sockets.addClient(1)
    if (counted) this.perAddress.set(address, (this.perAddress.get(address) ?? 0) + 1)
  }

  /** Says why in one write and closes at once: whoever opens too many connections must not hold them. */
  private turnAway(socket: Socket, why: HeadRefusal): void {
    socket.on('error', () => undefined)
    socket.write(this.context.refusal(why), 'latin1')
    socket.destroySoon()
  }

  private forget(connection: DoorConnection): void {
    const { countedAddress: address } = connection
    if (!this.connections.remove(connection)) return
    this.sockets.addClient(-1)
    if (address === undefined) return
    const left = (this.perAddress.get(address) ?? 1) - 1
    if (left > 0) this.perAddress.set(address, left)
    else this.perAddress.delete(address)
  }
}

function refusalText({ status }: HeadRefusal, body: string): string {
  const text = Buffer.from(body).toString('latin1')
  return `${statusLine(status)}content-type: application/json\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`
}
