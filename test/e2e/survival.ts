/** Row a3 of the promises: engines that are cut off in mid-stream. Simulated ones and a scripted one, each behind a proxy that cuts; one real `lb` in front of them. */
import { startSimServer, type SimServer } from '@plimsoll/plugin-sim/server'
import { CutPlan, startCuttingProxy } from './cutting-proxy.js'
import type { TcpProxy } from './tcp-proxy.js'
import { House } from './house.js'
import { ShapesEngine, shapesModel } from './shapes-engine.js'
import { inTurns, readStream, type Ask, type Seen } from './stream-reader.js'
import { drawCuts, type CutOptions, type Story } from './stories.js'
import type { Seeded } from './seeded.js'
import { verdictOf, type Verdict } from './stream-verdict.js'
import { control } from './thread-load.js'

export const models = { whole: 'sim-8b', off: 'sim-off', shapes: shapesModel } as const

export interface SurvivalOptions {
  readonly engines?: number
  readonly workers?: number
  /** Lines of the pool that is to continue, four spaces deep. */
  readonly pool?: string
  /** Of the simulated engines; at 2, a token takes about 15 ms. */
  readonly slowness?: number
}

interface Engines {
  readonly sims: readonly SimServer[]
  readonly shapes: readonly ShapesEngine[]
  readonly proxies: readonly TcpProxy[]
  readonly shapesProxies: readonly TcpProxy[]
}

/** Of a request record, what is looked at here. */
export interface RequestLine {
  readonly id: string
  readonly outcome: string
  readonly completionTokens: number
  readonly promptTokens: number
  readonly attempts: readonly { readonly node: string; readonly outcome: string; readonly continues?: string }[]
}

export interface Survived {
  readonly requestId: string
  readonly reference: Seen
  readonly story: Story
  readonly verdict: Verdict
  readonly seen: Seen
}

export interface TellOptions {
  readonly random: Seeded
  readonly concurrency: number
  readonly cuts?: CutOptions
}

/** The balancer, its engines, and what cuts them. */
export class Survival {
  private constructor(
    readonly house: House,
    readonly url: string,
    readonly plan: CutPlan,
    private readonly engines: Engines,
  ) {}

  static async start(options: SurvivalOptions = {}): Promise<Survival> {
    const plan = new CutPlan()
    const engines = await startEngines(plan, options)
    const house = new House(topologyOf(engines, options))
    return new Survival(house, await house.up(), plan, engines)
  }

  /** The unbroken answer, from an engine itself. */
  reference({ ask, model }: Story): Promise<Seen> {
    const { sims, shapes } = this.engines
    return readStream(model === models.shapes ? `http://127.0.0.1:${shapes[0]?.port}` : (sims[0]?.url ?? ''), ask, { model })
  }

  /** Every story once, cut off on its way; how each came out. */
  tell(stories: readonly Story[], options: TellOptions): Promise<Survived[]> {
    return inTurns(stories, options.concurrency, async (story, index) => {
      const reference = await this.reference(story)
      const cuts = drawCuts(reference, options.random, options.cuts)
      const requestId = `a3-${index}-${cuts.map(({ event, at, how }) => `${event}-${at}-${how}`).join('-')}`
      this.plan.set(requestId, ...cuts)
      const seen = await this.ask(story.ask, story.model, requestId)
      const wasCut = this.plan.made.includes(requestId)
      return { requestId, reference, story, seen, verdict: verdictOf({ story, reference, seen, cuts, wasCut }) }
    })
  }

  /** Where the engines answer through their proxies. */
  get engineUrls(): readonly string[] {
    return this.engines.proxies.map(({ url }) => url)
  }

  /** What lb has written down of its last requests, by id. */
  async records(): Promise<ReadonlyMap<string, RequestLine>> {
    const { requests } = await control<{ requests: readonly RequestLine[] }>(this.house, '/v1/requests?limit=1000')
    return new Map(requests.map((line) => [line.id, line]))
  }

  ask(ask: Ask, model: string, requestId: string): Promise<Seen> {
    return readStream(this.url, ask, { model, requestId })
  }

  async close(): Promise<void> {
    await this.house.lb(['down', '--force'])
    for (const each of Object.values(this.engines).flat() as { close(): Promise<void> }[]) await each.close()
    await this.house.close()
  }
}

async function startEngines(plan: CutPlan, { engines = 4, slowness = 2 }: SurvivalOptions): Promise<Engines> {
  const settings = { profile: '8b-h100', slowness } as const
  const times = Array.from({ length: engines })
  const sims = await Promise.all(times.map(() => startSimServer({ port: 0, models: [models.whole, models.off], settings })))
  const shapes = await Promise.all(times.map(() => ShapesEngine.start()))
  const proxied = (list: readonly { readonly port: number }[]) => Promise.all(list.map(({ port }) => startCuttingProxy(port, plan)))
  return { sims, shapes, proxies: await proxied(sims), shapesProxies: await proxied(shapes) }
}

function topologyOf({ proxies, shapesProxies }: Engines, { workers = 1, pool = '' }: SurvivalOptions): string {
  const poolOf = (name: string, model: string, nodes: readonly TcpProxy[], more = ''): string =>
    `  ${name}:\n    models: [${model}]\n${more}    nodes:\n      - { name: n, engine: sim, attach: [${nodes.map(({ url }) => url).join(', ')}] }\n`
  return `version: 1
gateway: { listen: 127.0.0.1:0, workers: ${workers} }
pools:
${poolOf('whole', models.whole, proxies, pool)}${poolOf('off', models.off, proxies, '    continuation: off\n')}${poolOf('shapes', models.shapes, shapesProxies)}`
}
