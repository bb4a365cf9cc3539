/**
 * The control: a proxy written the way one should not. It splits text, believes the first Content-Length, and hands on over one connection what it
 * took for a request. Its manners are good (own Host, allow-list, keep-alive), so that a harmless request passes the judge.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface LaxProxy {
  readonly port: number
  close(): void
}

export async function startLaxProxy(originPort: number): Promise<LaxProxy> {
  const clients = new Set<Socket>()
  let asking: Socket | undefined
  let upstream: Socket | undefined
  const origin = (): Socket => {
    if (upstream !== undefined && !upstream.destroyed) return upstream
    upstream = connect(originPort, '127.0.0.1')
    upstream.on('data', (bytes) => void (asking?.writable === true && asking.write(bytes)))
    upstream.on('error', () => undefined)
    upstream.on('close', () => asking?.destroy())
    return upstream
  }
  const server = createServer((client) => {
    let text = ''
    clients.add(client)
    client.on('error', () => undefined)
    client.on('close', () => clients.delete(client))
    client.setEncoding('latin1').on('data', (more: string) => {
      text += more
      for (let whole = firstRequest(text); whole !== undefined; whole = firstRequest(text)) {
        asking = client
        origin().write(tidied(whole, originPort), 'latin1')
        text = text.slice(whole.length)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of clients) socket.destroy()
      upstream?.destroy()
      server.close()
    },
  }
}

function firstRequest(text: string): string | undefined {
  const end = /\r?\n\r?\n/.exec(text)
  if (end === null) return undefined
  const length = Number.parseInt(/content.length\s*:\s*(\d+)/i.exec(text.slice(0, end.index))?.[1] ?? '0', 10)
  const whole = text.slice(0, end.index + end[0].length + length)
  return whole.length === end.index + end[0].length + length ? whole : undefined
}

const KEPT = /^(?:content-type|content-length|transfer-encoding|accept|user-agent|traceparent|x-session-id|openai-[a-z]*)$/

function tidied(whole: string, originPort: number): string {
  const [head = ''] = whole.split(/\r?\n\r?\n/)
  const [line = '', ...fields] = head.split(/\r?\n/)
  const kept = fields.filter((field) => KEPT.test((field.split(':')[0] ?? '').trim().toLowerCase()))
  const body = whole.slice(head.length).replace(/^\r?\n\r?\n/, '')
  return [line, `host: 127.0.0.1:${originPort}`, 'connection: keep-alive', ...kept, '', body].join('\r\n')
}
