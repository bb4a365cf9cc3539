import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

const startMark = '<<< response\n'

/** The response of one recorded exchange: all its bytes, and where its body starts. */
export function recorded(name: string): { readonly raw: Buffer; readonly body: string } {
  const file = readFileSync(new URL(`fixtures/${name}.http`, import.meta.url))
  const from = file.indexOf(startMark) + startMark.length
  const raw = file.subarray(from, file.lastIndexOf('\n\n# timing'))
  return { raw, body: raw.subarray(raw.indexOf('\r\n\r\n') + 4).toString() }
}

export interface RecordedServer {
  readonly url: string
  /** Heads of the requests that came, in order. */
  readonly heads: string[]
  /** Path to the name of the exchange that answers it; the rest is answered 404. May be changed while running. */
  routes: Record<string, string>
  close(): Promise<void>
}

/** A loopback server that answers with recorded bytes, as they came from the real one. */
export async function startRecordedServer(routes: Record<string, string>): Promise<RecordedServer> {
  const heads: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (data) => answer(socket, data.toString()))
  })
  const running: RecordedServer = {
    url: '',
    heads,
    routes,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  const answer = (socket: Socket, head: string) => {
    heads.push(head)
    const name = running.routes[head.split(' ')[1] ?? '']
    socket.end(name === undefined ? 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' : recorded(name).raw)
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(running, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
