import { createServer, type Server } from 'node:net'
import { LbError } from '@plimsoll/core'

export interface TcpAddress {
  readonly host: string
  readonly port: number
}

export interface OpenSocket {
  readonly fd: number
  readonly url: string
  /** Gives this process's descriptor back; one that was handed to a child stays open there. */
  close(): void
}

export interface OpenOptions {
  /** Take the next free port. */
  readonly moveWhenTaken: boolean
  /** The running topology of this user that listens there. */
  readonly holderOf: (address: TcpAddress) => Promise<string | undefined>
}

const MOST_MOVES = 50

/** Opens the gateway's listening sockets in this short-lived process, so that whoever they are handed to can die and come back without a refused connect. */
export async function openSockets(addresses: readonly TcpAddress[], options: OpenOptions): Promise<OpenSocket[]> {
  const opened: OpenSocket[] = []
  try {
    for (const address of addresses) opened.push(await openOne(address, options.holderOf, options.moveWhenTaken ? MOST_MOVES : 0))
    return opened
  } catch (error) {
    for (const socket of opened) socket.close()
    throw error
  }
}

async function openOne(address: TcpAddress, holderOf: OpenOptions['holderOf'], movesLeft: number): Promise<OpenSocket> {
  const server = createServer((socket) => socket.destroy())
  try {
    await listen(server, address)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'EADDRINUSE' && movesLeft > 0 && address.port !== 0)
      return openOne({ host: address.host, port: address.port + 1 }, holderOf, movesLeft - 1)
    throw code === 'EADDRINUSE' ? portTaken(address, await holderOf(address), cause) : listenError(address, code, cause)
  }
  return { fd: descriptorOf(server), url: urlOf(server, address), close: () => void server.close() }
}

function listen(server: Server, address: TcpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address.host, port: address.port, backlog: 4096 }, resolve)
  })
}

/** Node.js has no public name for it; every Unix handle has carried `fd` since 0.12. */
function descriptorOf(server: Server): number {
  // oxlint-disable-next-line no-underscore-dangle -- it has no other name
  const fd = (server as unknown as { _handle?: { fd?: number } })._handle?.fd
  if (fd === undefined || fd < 0) throw new Error('this Node.js shows no descriptor of a listening socket')
  return fd
}

function urlOf(server: Server, address: TcpAddress): string {
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`
}

function portTaken(address: TcpAddress, holder: string | undefined, cause: unknown): LbError {
  const [who, hint] =
    holder === undefined
      ? ['another program holds this port', 'see who with `ss -ltnp`']
      : [`the topology ${holder} of yours listens there`, `lb down --name ${holder} stops that one`]
  return new LbError(`the gateway cannot listen on ${address.host}:${address.port}: ${who}`, {
    code: 'LB_PORT_TAKEN',
    source: 'operator',
    hint: `${hint}, or choose another: lb up --port ${address.port + 1}`,
    cause,
  })
}

function listenError(address: TcpAddress, code: string | undefined, cause: unknown): LbError {
  const why =
    code === 'EACCES' ? 'ports under 1024 need more rights' : code === 'EADDRNOTAVAIL' ? 'this machine has no such address' : String(code)
  return new LbError(`the gateway cannot listen on ${address.host}:${address.port}: ${why}`, {
    code: 'LB_CANNOT_LISTEN',
    source: 'operator',
    hint: 'change gateway.listen in the topology file',
    cause,
  })
}
