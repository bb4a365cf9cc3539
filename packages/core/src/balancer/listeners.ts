import { rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** Where to listen: an inherited descriptor of a listening socket, an address, or a unix socket path. */
export type Listenable =
  | { readonly fd: number; readonly url: string }
  | { readonly host: string; readonly port: number }
  | { readonly path: string }

/** Limits of design/resilience.md, Defaults: header block 16 KiB, 100 headers, head within 10 s, idle client connections 75 s. */
const SERVER_OPTIONS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  keepAliveTimeout: 75_000,
  requestTimeout: 0,
  insecureHTTPParser: false,
}
const MOST_HEADERS = 100

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** The gateway's listening HTTP servers: opened together, closed in two steps. */
export class Listeners {
  private readonly servers: Server[] = []
  readonly urls: string[] = []

  constructor(private readonly handler: Handler) {}

  async open(listenable: Listenable): Promise<string> {
    const server = createServer(SERVER_OPTIONS, this.handler)
    server.maxHeadersCount = MOST_HEADERS
    server.on('upgrade', (_request, socket) => socket.end(UPGRADE_REFUSED))
    server.on('connect', (_request, socket) => socket.end(UPGRADE_REFUSED))
    if ('path' in listenable) rmSync(listenable.path, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ ...addressOf(listenable), backlog: 4096 }, resolve)
    })
    this.servers.push(server)
    const url = urlOf(server, listenable)
    this.urls.push(url)
    return url
  }

  /** Takes no new connections; requests in flight go on. */
  stopAccepting(): void {
    for (const server of this.servers) {
      server.close()
      server.closeIdleConnections()
    }
  }

  /** Cuts what is left. */
  cutAll(): void {
    for (const server of this.servers) server.closeAllConnections()
  }
}

const UPGRADE_BODY = JSON.stringify({
  error: {
    message: 'lb speaks plain HTTP/1.1: no CONNECT, no Upgrade, no WebSocket',
    type: 'invalid_request_error',
    param: null,
    code: 'LB_NO_UPGRADE',
  },
})
const UPGRADE_REFUSED = `HTTP/1.1 501 Not Implemented\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(UPGRADE_BODY)}\r\nconnection: close\r\n\r\n${UPGRADE_BODY}`

function addressOf(listenable: Listenable): { fd: number } | { host: string; port: number } | { path: string } {
  return 'fd' in listenable ? { fd: listenable.fd } : listenable
}

function urlOf(server: Server, listenable: Listenable): string {
  if ('fd' in listenable) return listenable.url
  if ('path' in listenable) return `unix:${listenable.path}`
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : listenable.port
  return `http://${listenable.host.includes(':') ? `[${listenable.host}]` : listenable.host}:${port}`
}
