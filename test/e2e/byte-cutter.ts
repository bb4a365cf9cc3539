/** A TCP proxy in front of one engine that breaks off answers behind a byte, of whatever part of them. */
import { TcpProxy, type SocketPair } from './tcp-proxy.js'

/** Where the next answers break off, by `x-request-id`; each try of a request uses up one. Shared by the proxies of a pool. */
export type ByteCuts = Map<string, number[]>

export function startByteCutter(enginePort: number, cuts: ByteCuts): Promise<TcpProxy> {
  return TcpProxy.start(enginePort, (pair) => carry(pair, cuts))
}

function carry({ client, engine }: SocketPair, cuts: ByteCuts): void {
  let left = Number.POSITIVE_INFINITY
  client.on('data', (bytes: Buffer) => {
    const id = /^x-request-id: *(\S+)/im.exec(bytes.toString('latin1'))?.[1]
    if (id !== undefined) left = cuts.get(id)?.shift() ?? Number.POSITIVE_INFINITY
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
