import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SimSettings } from '../settings.js'
import type { Ending } from './fault-switch.js'
import { Refusal } from './refusal.js'
import { routes } from './routes.js'
import { SimEngine } from './sim-engine.js'

export interface SimServerOptions {
  /** 0 takes any free one. */
  readonly port: number
  readonly models: readonly string[]
  readonly settings?: Partial<SimSettings>
  /** What `die`, `die-after` and `exit-on-load` do; by default they end this process. */
  readonly ending?: Ending
}

export interface SimServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  readonly engine: SimEngine
  /** Cuts open connections. */
  close(): Promise<void>
}

/** The simulated engine as an HTTP server on loopback. Rejects as `listen` does when the port is taken. */
export async function startSimServer(options: SimServerOptions): Promise<SimServer> {
  const ending = options.ending ?? endProcess
  const engine = new SimEngine({ models: options.models, settings: options.settings ?? {}, ending })
  const server = createServer((request, response) => void serve(engine, request, response))
  // As uvicorn does: what pools connections to a vLLM must let go of them earlier.
  server.keepAliveTimeout = 5000
  await listen(server, options.port)
  engine.faults.begin(engine.settings.loadMs)
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, engine, close: () => close(server, engine) }
}

const endProcess: Ending = {
  die: () => void process.kill(process.pid, 'SIGKILL'),
  exit(code, why) {
    process.stderr.write(`lb-sim-engine: ${why}\n`)
    process.exit(code)
  },
}

async function serve(engine: SimEngine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    if (!path.startsWith('/sim/')) await engine.faults.thawed()
    if (response.destroyed) return
    if (engine.faults.current?.kind === 'reset' && path.startsWith('/v1/') && request.method === 'POST')
      return void request.socket.resetAndDestroy()
    await handlerOf(request.method ?? 'GET', path)(engine, request, response)
  } catch (error) {
    refuse(response, error instanceof Refusal ? error : new Refusal(500, `lb-sim-engine has a defect: ${String(error)}`))
  }
}

function handlerOf(method: string, path: string) {
  const handler = routes[`${method} ${path}`]
  if (handler !== undefined) return handler
  const isKnown = Object.keys(routes).some((route) => route.endsWith(` ${path}`))
  throw isKnown ? new Refusal(405, 'Method Not Allowed') : new Refusal(404, 'Not Found')
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  if (response.destroyed) return
  if (response.headersSent) response.destroy()
  else response.writeHead(refusal.status, { 'content-type': 'application/json' }).end(refusal.body)
}

async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, '127.0.0.1', resolve)
  await promise
  server.off('error', reject)
}

async function close(server: Server, engine: SimEngine): Promise<void> {
  engine.faults.close()
  engine.driver.close()
  engine.memory?.release()
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
