import { createServer, type AddressInfo, type Socket } from 'node:net'

export interface RawServer {
  readonly url: string
  /** What each connection said until it was answered. */
  readonly requests: string[]
  close(): Promise<void>
}

/** What a raw server does with one connection once a whole request has come. */
export type RawAnswer = (socket: Socket, request: string) => void

/** A loopback server that answers with bytes, right or wrong: half answers, silence, anything that no HTTP library would write. */
export async function startRawServer(answer: RawAnswer): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const requests: string[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let heard = Buffer.alloc(0)
    socket.on('data', (part: Buffer) => {
      heard = Buffer.concat([heard, part])
      if (!isWhole(heard)) return
      const request = heard.toString('latin1')
      heard = Buffer.alloc(0)
      requests.push(request)
      answer(socket, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** A head, and as much body as its Content-Length says. */
function isWhole(heard: Buffer): boolean {
  const end = heard.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(heard.toString('latin1', 0, end))?.[1] ?? '0'
  return heard.byteLength >= end + 4 + Number(length)
}
