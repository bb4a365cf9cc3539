import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ScriptedServer {
  readonly url: string
  /** Each request in order. */
  readonly asked: { readonly method: string; readonly path: string; readonly authorization: string | undefined; readonly body: string }[]
  /** Path to status and body; may be changed while running. The rest is answered 404. */
  answers: Record<string, readonly [status: number, body: string]>
  close(): Promise<void>
}

/** A loopback server that answers each path with what the script says. */
export async function startScriptedServer(answers: ScriptedServer['answers']): Promise<ScriptedServer> {
  const asked: ScriptedServer['asked'] = []
  const server = createServer((request: IncomingMessage, response) => {
    const { url: path = '', method = '', headers } = request
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.once('end', () => {
      asked.push({ method, path, authorization: headers.authorization, body })
      const [status, text] = running.answers[path] ?? [404, '{"detail":"Not Found"}']
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(text)
    })
  })
  const running = { url: '', asked, answers, close: () => new Promise<void>((resolve) => server.close(() => resolve())) }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(running, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
