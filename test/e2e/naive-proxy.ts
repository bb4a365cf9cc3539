/** What stands in for a balancer that thinks of no failure: every answer is piped. For negative controls. */
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export class NaiveProxy {
  private constructor(private readonly server: Server) {}

  /** In turn to each of the engines. */
  static async start(urls: readonly string[]): Promise<NaiveProxy> {
    let turn = 0
    const server = createServer((client, answer) => {
      const { method, headers } = client
      const sent = request(`${urls[turn++ % urls.length]}${client.url}`, { method: method ?? 'GET', headers, agent: false }, (engine) => {
        answer.writeHead(engine.statusCode ?? 502, engine.headers)
        engine.on('error', () => undefined).pipe(answer)
      })
      sent.on('error', () => undefined)
      client.pipe(sent)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new NaiveProxy(server)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    this.server.closeAllConnections()
    return new Promise((resolve) => void this.server.close(() => resolve()))
  }
}
