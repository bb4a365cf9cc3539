import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ScriptedServer {
  readonly url: string
  /** What came, in order. */
  readonly asked: { readonly method: string; readonly path: string; readonly authorization: string | undefined; readonly body: string }[]
  /** Path, or `METHOD path`, to status and body; may be changed while running. The rest is answered 404. */
  answers: Record<string, readonly [status: number, body: string]>
  close(): Promise<void>
}

/** A loopback server that answers each path with what the script says. */
export async function startScriptedServer(answers: ScriptedServer['answers']): Promise<ScriptedServer> {
  const asked: ScriptedServer['asked'] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    const path = request.url ?? ''
    const method = request.method ?? ''
    asked.push({ method, path, authorization: request.headers.authorization, body })
    const [status, text] = running.answers[`${method} ${path}`] ?? running.answers[path] ?? [404, 'not found']
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(text)
  }
  const server = createServer((request, response) => void answer(request, response))
  const close = () => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  const running = { url: '', asked, answers, close }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(running, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  try {
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  } catch {
    // The client left; what came is what there is.
  }
  return Buffer.concat(parts).toString('utf8')
}
