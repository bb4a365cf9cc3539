import { startSimServer, type SimServer, type SimServerOptions } from '../server/index.js'

/** What the tests ask of a simulated engine. */
export class SimClient implements AsyncDisposable {
  constructor(readonly server: SimServer) {}

  static async start(settings: NonNullable<SimServerOptions['settings']> = {}, ending?: SimServerOptions['ending']): Promise<SimClient> {
    return new SimClient(await startSimServer({ port: 0, models: ['sim-8b'], settings, ...(ending === undefined ? {} : { ending }) }))
  }

  get(path: string): Promise<Response> {
    return fetch(this.server.url + path)
  }

  post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return fetch(this.server.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text, ...init })
  }

  chat(body: object = {}, init: RequestInit = {}): Promise<Response> {
    return this.post('/v1/chat/completions', { model: 'sim-8b', messages: [{ role: 'user', content: 'hello' }], ...body }, init)
  }

  fault(fault: string | null): Promise<Response> {
    return this.post('/sim/faults', { fault })
  }

  /** The engine's own gauge, as any scraper reads it. */
  async gauge(name: string): Promise<number> {
    const text = await (await this.get('/metrics')).text()
    return Number(new RegExp(`^vllm:${name}\\{[^}]*\\} (.*)$`, 'mu').exec(text)?.[1])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server.close()
  }
}

/** Data of the events of a whole stream. */
export async function eventsOf(response: Response): Promise<readonly string[]> {
  return (await response.text())
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /u, ''))
}

export async function until(isTrue: () => boolean | Promise<boolean>, withinMs = 5000): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`not true within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
