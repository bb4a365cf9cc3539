import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { leanHttp } from '../base/index.js'
import { LbError, isLbError, messageOf } from '../errors/index.js'
import type { Logger } from '../contracts/index.js'
import type { ControlActions } from './actions.js'
import { streamEvents } from './event-stream.js'
import { matchRoute } from './match.js'
import { controlOpenApi } from './openapi.js'
import type { ControlAnswer } from './routes.js'

const MAX_BODY_BYTES = 1_048_576

export interface ControlServer {
  /** Binds the unix socket, readable and writable for its owner only. A stale file at the path is replaced: call it under the topology's lock. */
  listen(socketPath: string): Promise<void>
  close(): Promise<void>
}

/** The HTTP face that the CLI talks to. */
export function createControlServer(options: { readonly actions: ControlActions; readonly log: Logger }): ControlServer {
  const server = leanHttp.createServer((request, response) => void serve(options, request, response))
  server.on('clientError', (_error, socket) => socket.destroy())
  return { listen: (socketPath) => listenOn(server, socketPath), close: () => closeServer(server) }
}

async function serve(options: { actions: ControlActions; log: Logger }, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://control')
    send(options.actions, response, await answer(options.actions, request, url))
  } catch (thrown) {
    if (!isLbError(thrown)) options.log.error('control.failed', { path: request.url, error: messageOf(thrown) })
    sendError(response, thrown)
  }
}

async function answer(actions: ControlActions, request: IncomingMessage, url: URL): Promise<ControlAnswer> {
  if (url.pathname === '/v1/openapi.json') return { json: controlOpenApi() }
  const match = matchRoute(request.method ?? 'GET', url.pathname)
  if (match === 'unknown') throw refused(`control has no ${url.pathname}; GET /v1/openapi.json lists what it has`, 404)
  if (match === 'wrong-method') throw refused(`${request.method ?? 'GET'} is not the method of ${url.pathname}`, 405)
  const body = match.route.method === 'POST' ? await readJson(request) : {}
  return match.route.handle(actions, { params: match.params, query: url.searchParams, body })
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.byteLength
    if (bytes > MAX_BODY_BYTES) throw refused('the body is over 1 MiB', 413)
    parts.push(part)
  }
  if (bytes === 0) return {}
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown
  } catch (cause) {
    throw refused(`the body is not JSON: ${messageOf(cause)}`, 400)
  }
}

function send(actions: ControlActions, response: ServerResponse, given: ControlAnswer): void {
  if ('stream' in given) streamEvents(actions, response)
  else if ('text' in given) response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(given.text)
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(given.json))
}

function sendError(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) return void response.destroy()
  const error = isLbError(thrown)
    ? { code: thrown.code, message: thrown.message, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }), ...problemsOf(thrown) }
    : { code: 'LB_BUG', message: `the balancer failed on this request: ${messageOf(thrown)}` }
  const status = isLbError(thrown) ? thrown.httpStatus || 400 : 500
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
}

/** A topology can be wrong in several places: all of them. */
function problemsOf(thrown: object): object {
  const { problems } = thrown as { problems?: unknown }
  return Array.isArray(problems) ? { problems } : {}
}

function refused(message: string, httpStatus: number): LbError {
  return new LbError(message, { code: 'LB_BAD_CONTROL_REQUEST', source: 'operator', httpStatus })
}

async function listenOn(server: Server, socketPath: string): Promise<void> {
  rmSync(socketPath, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, resolve)
  })
  chmodSync(socketPath, 0o600)
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  // Event streams never end by themselves; a short grace lets the answer to /v1/stop leave.
  setTimeout(() => server.closeAllConnections(), 100).unref()
  await closed
}
