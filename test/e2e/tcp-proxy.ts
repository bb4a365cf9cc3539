/** A TCP proxy in front of one engine, for tests that break something between the two sides. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Both sides of one connection; they end together. */
export interface SocketPair {
  readonly client: Socket
  readonly engine: Socket
}

export class TcpProxy {
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    private readonly enginePort: number,
    onPair: (pair: SocketPair) => void,
  ) {
    server.on('connection', (client) => onPair(this.paired(client)))
  }

  /** `onPair` carries the bytes. */
  static async start(enginePort: number, onPair: (pair: SocketPair) => void): Promise<TcpProxy> {
    const server = createServer({ noDelay: true })
    const proxy = new TcpProxy(server, enginePort, onPair)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    return new Promise((resolve) => void this.server.close(() => resolve()))
  }

  private paired(client: Socket): SocketPair {
    const pair = { client, engine: connect(this.enginePort, '127.0.0.1').setNoDelay() }
    const both = [pair.client, pair.engine]
    for (const socket of both) {
      this.sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.sockets.delete(socket)
        for (const other of both) other.destroy()
      })
    }
    return pair
  }
}
