import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import type { Backend, EnginePlugin } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { createBalancer, type Balancer } from './create-balancer.js'
import type { BalancerOptions } from './options.js'

export interface Town {
  /** Listens on a port, or on a unix socket; resolves with its URL. */
  readonly serve: (answer: RequestListener, path?: string) => Promise<string>
  /** An engine that answers with its own name; with `hold` when told to. */
  readonly engine: (name: string, options?: { readonly hold?: Promise<void>; readonly path?: string }) => Promise<string>
  readonly balancerOf: (options: BalancerOptions) => Balancer
}

/** Servers of a test and balancers before them: they end with it, balancers first. */
export function smallTown(): Town {
  const servers: Server[] = []
  const balancers: Balancer[] = []
  afterEach(async () => {
    await Promise.all(balancers.splice(0).map((balancer) => balancer.close({ drainMs: 0, force: true })))
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      server.close()
    }
  })
  const serve = async (answer: RequestListener, path?: string): Promise<string> => {
    const server = createServer(answer)
    await new Promise<void>((resolve) => (path === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(path, resolve)))
    servers.push(server)
    return path === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${path}`
  }
  return {
    serve,
    engine: (name, { hold = Promise.resolve(), path } = {}) =>
      serve((request, response) => {
        if (request.method === 'GET') response.end('ok')
        else request.resume().on('end', () => void hold.then(() => response.end(JSON.stringify({ name }))))
      }, path),
    balancerOf(options) {
      const balancer = createBalancer(options)
      balancers.push(balancer)
      return balancer
    },
  }
}

/** An engine that is only attached, and well while it answers 200 to a probe. */
export function pluginOf(engine: string, parts: () => Partial<Backend> = () => ({})): EnginePlugin {
  return {
    apiVersion: 1,
    engine,
    settings: { type: 'object' },
    canLaunch: false,
    summary: 'an engine of this test',
    createBackend: (spec, host) => ({
      minProbeIntervalMs: 20,
      dialect: openaiDialect(),
      probe: async (signal) =>
        (await host.get(`${spec.url}/probe`, { signal })).status === 200 ? { verdict: 'ready' } : { verdict: 'sick', reason: 'not 200' },
      ...parts(),
    }),
  }
}

export async function ask(balancer: Balancer, model = 'm', key?: string): Promise<{ status: number; text: string }> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] })
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const answer = await balancer.fetch(new Request('http://x/v1/chat/completions', { method: 'POST', body, headers }))
  return { status: answer.status, text: await answer.text() }
}
