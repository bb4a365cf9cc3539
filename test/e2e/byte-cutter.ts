/** A TCP proxy in front of one engine that breaks off answers behind a byte, of whatever part of them. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Where the next answers break off, by `x-request-id`; each try of a request uses up one. Shared by the proxies of a pool. */
export type ByteCuts = Map<string, number[]>

export class ByteCutter {
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    private readonly enginePort: number,
    private readonly cuts: ByteCuts,
  ) {
    server.on('connection', (client) => this.accept(client))
  }

  static async start(enginePort: number, cuts: ByteCuts): Promise<ByteCutter> {
    const server = createServer({ noDelay: true })
    const cutter = new ByteCutter(server, enginePort, cuts)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return cutter
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    return new Promise((resolve) => void this.server.close(() => resolve()))
  }

  private accept(client: Socket): void {
    const engine = connect(this.enginePort, '127.0.0.1').setNoDelay()
    for (const socket of [client, engine]) {
      this.sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.sockets.delete(socket)
        client.destroy()
        engine.destroy()
      })
    }
    let left = Number.POSITIVE_INFINITY
    client.on('data', (bytes: Buffer) => {
      const id = /^x-request-id: *(\S+)/im.exec(bytes.toString('latin1'))?.[1]
      if (id !== undefined) left = this.cuts.get(id)?.shift() ?? Number.POSITIVE_INFINITY
      engine.write(bytes)
    })
    engine.on('data', (bytes: Buffer) => {
      if (bytes.byteLength < left) {
        left -= bytes.byteLength
        return void client.write(bytes)
      }
      engine.removeAllListeners('data')
      client.write(bytes.subarray(0, left), () => client.destroy())
    })
  }
}
