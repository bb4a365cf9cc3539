import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

const startMark = '<<< response\n'

export interface Recorded {
  /** All bytes of the response. */
  readonly raw: Buffer
  readonly status: number
  readonly body: string
  /** The events of a stream, as the gateway's end would see them: without the framing of chunks. */
  readonly events: string
}

/** The response of one recorded exchange. */
export function recorded(name: string): Recorded {
  const file = readFileSync(new URL(`fixtures/${name}.http`, import.meta.url))
  const from = file.indexOf(startMark) + startMark.length
  const raw = file.subarray(from, file.lastIndexOf('\n\n# timing'))
  const body = raw.subarray(raw.indexOf('\r\n\r\n') + 4).toString()
  const events = body.replaceAll(/^[0-9a-f]+\r\n|\r\n(?=[0-9a-f]+\r\n|$)/gm, '')
  return { raw, status: Number(raw.toString('latin1', 9, 12)), body, events }
}

export type Routes = Record<string, string | { readonly status: number; readonly body: string }>

export interface RecordedServer {
  readonly url: string
  /** Heads of the requests that came, in order. */
  readonly heads: string[]
  /** Path to the name of the exchange that answers it, or to a body of our own; the rest is answered 404. May be changed while running. */
  routes: Routes
  close(): Promise<void>
}

/** A loopback server that answers with recorded bytes, as they came from the real one. */
export async function startRecordedServer(routes: Routes): Promise<RecordedServer> {
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
    const route = running.routes[head.split(' ')[1] ?? ''] ?? { status: 404, body: '' }
    socket.end(typeof route === 'string' ? recorded(route).raw : written(route))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(running, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

function written({ status, body }: { readonly status: number; readonly body: string }): string {
  return `HTTP/1.1 ${status} Some\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
}
