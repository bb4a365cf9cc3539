import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ScriptedServer {
  readonly url: string
  /** `GET /path` of each request with its Authorization, in order. */
  readonly asked: { readonly path: string; readonly authorization: string | undefined }[]
  /** Path to status and body; may be changed while running. The rest is answered 404. */
  answers: Record<string, readonly [status: number, body: string]>
  close(): Promise<void>
}

/** A loopback server that answers each path with what the script says. */
export async function startScriptedServer(answers: ScriptedServer['answers']): Promise<ScriptedServer> {
  const asked: ScriptedServer['asked'] = []
  const server = createServer((request: IncomingMessage, response) => {
    asked.push({ path: request.url ?? '', authorization: request.headers.authorization })
    const [status, body] = running.answers[request.url ?? ''] ?? [404, 'not found']
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body)
  })
  const running = { url: '', asked, answers, close: () => new Promise<void>((resolve) => server.close(() => resolve())) }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(running, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
