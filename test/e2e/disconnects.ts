/** Clients that vanish at every stage of a request, and what engines and `lb` know of it afterwards. Shared by the short form and the long one. */
import { House, until } from './house.js'
import { Seeded } from './seeded.js'
import { StampingEngine } from './stamping-engine.js'
import { VanishingClient } from './vanishing-client.js'

export const stages = [
  'prefill',
  'plain',
  'collected',
  'stream',
  'second try',
  'pause',
  'continuation',
  'half a body',
  'in line',
  'hedged',
  'engine prefill',
  'engine stream',
] as const
export type Stage = (typeof stages)[number]

/** What a stage asks, and what has to be so before its client may leave. */
interface Scene {
  readonly model: string
  readonly word: string
  readonly stream: boolean
  readonly isThere: (client: VanishingClient, calls: number) => boolean
}

const anyTime = (): boolean => true
const at =
  (calls: number) =>
  (_client: VanishingClient, count: number): boolean =>
    count >= calls

const scenes: Readonly<Record<Stage, Scene>> = {
  prefill: { model: 'pair', word: 'silent', stream: true, isThere: at(1) },
  plain: { model: 'pair', word: 'silent', stream: false, isThere: at(1) },
  collected: { model: 'llama', word: 'silent', stream: false, isThere: at(1) },
  stream: { model: 'pair', word: 'stream', stream: true, isThere: ({ pieces }) => pieces > 0 },
  'second try': { model: 'pair', word: 'break', stream: true, isThere: at(2) },
  pause: { model: 'pair', word: 'lost', stream: true, isThere: at(2) },
  continuation: { model: 'pair', word: 'half', stream: true, isThere: at(2) },
  'half a body': { model: 'pair', word: 'silent', stream: true, isThere: anyTime },
  'in line': { model: 'narrow', word: 'silent', stream: true, isThere: anyTime },
  // A second node is asked 20 ms later, where one has nothing else to do.
  hedged: { model: 'hedged', word: 'silent', stream: true, isThere: at(1) },
  'engine prefill': { model: 'sim-8b', word: 'long '.repeat(3_000), stream: true, isThere: anyTime },
  'engine stream': { model: 'sim-8b', word: 'short', stream: true, isThere: ({ heard }) => heard.includes('"content":"') },
}

const topology = (urls: readonly string[]): string => {
  const attached = (engine: string, from: readonly string[]): string =>
    from.map((url, index) => `      - { name: e${index}, engine: ${engine}, attach: '${url}' }`).join('\n')
  const [one = '', two = '', three = '', four = ''] = urls
  return `version: 1
gateway: { listen: 127.0.0.1:0, workers: 2 }
pools:
  pair:
    models: [pair]
    strategy: round-robin
    # Its engines break off on purpose, and are silent on purpose.
    health: { eject: off, hung: off }
    retries: { max: 50, floor: 10000, pause: { first: 200ms, longest: 400ms } }
    nodes:
${attached('sim', [one, two])}
  llama:
    models: [llama]
    health: { hung: off }
    nodes:
${attached('llamacpp', [one])}
  narrow:
    models: [narrow]
    health: { hung: off }
    strategy: { name: push-when-idle, maxWaitMs: 60000 }
    nodes:
${attached('sim', [three])}
  hedged:
    models: [hedged]
    health: { hung: off }
    retries: { hedge: { after: 20ms, most: 100% } }
    nodes:
${attached('sim', [one, two, three, four])}
  sims:
    models: [sim-8b]
    nodes:
      - { name: sim, engine: sim, launch: { replicas: 2, args: { profile: 8b-a100, slowness: 4 } } }
`
}

/** By then lb knows that a client has left, also on a busy machine. */
const KNOWN_MS = 1_000

export interface Vanished {
  readonly stage: Stage
  readonly id: string
  readonly leftAtMs: number
  /** From the client's end to the end of each connection to an engine, in ms. */
  readonly closedAfterMs: readonly number[]
}

/** A house with every stage in it. */
export class Stages {
  readonly vanished: Vanished[] = []
  /** Clients that were there. */
  asked = 0
  private readonly broken = new Set<string>()
  readonly engines = Array.from({ length: 4 }, () => new StampingEngine(['pair', 'llama', 'narrow', 'hedged'], this.broken))
  private readonly house = new House()
  /** Of the simulated engines. */
  private sims: readonly string[] = []
  private url = ''

  /** `throughUrl`: who stands between clients and the first engine instead of lb. */
  async open(throughUrl?: (engineUrl: string) => Promise<string>): Promise<void> {
    const urls = await Promise.all(this.engines.map((engine) => engine.start()))
    if (throughUrl !== undefined) return void (this.url = await throughUrl(urls[0] ?? ''))
    this.house.write('lb.yaml', topology(urls))
    this.url = await this.house.up()
    await until(async () => (await this.house.status()).pools.every(({ nodes }) => nodes.every(({ state }) => state === 'ready')), 30_000)
    const { pools } = await this.house.status()
    this.sims = pools.find(({ name }) => name === 'sims')?.nodes.map(({ url }) => url) ?? []
  }

  async close(): Promise<void> {
    if (this.url !== '') await this.house.lb(['down', '--force'])
    for (const engine of this.engines) engine.close()
    await this.house.close()
  }

  /** As many clients as that in turn through the stages, so many at a time; each vanishes at a random moment of its stage. */
  async run(count: number, options: { readonly atOnce: number; readonly seed: number; readonly stages?: readonly Stage[] }): Promise<void> {
    const draw = new Seeded(options.seed)
    const planned = options.stages ?? stages
    const blocker = planned.includes('in line') ? this.ask('in line', 'blocker') : undefined
    if (blocker !== undefined) await until(() => this.callsOf('blocker') > 0)
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < count) {
        const index = next++
        await this.vanish(planned[index % planned.length] as Stage, `c${index}`, draw)
      }
    }
    await Promise.all(Array.from({ length: options.atOnce }, worker))
    blocker?.vanish()
    await until(() => this.engines.every(({ running }) => running === 0), 5_000).catch(() => undefined)
  }

  /** The sum over all series of a metric of lb. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** What the simulated engines say of themselves. */
  async engineGauge(name: string): Promise<number> {
    const texts = await Promise.all(this.sims.map(async (url) => (await fetch(`${url}/metrics`)).text()))
    return texts.reduce((sum, text) => sum + Number(new RegExp(`^vllm:${name}\\{[^}]*\\} (.*)$`, 'mu').exec(text)?.[1]), 0)
  }

  /** Requests that an engine was sent although their client had left long enough before for lb to know, and those that had to wait for their turn. */
  get sentInVain(): number {
    return this.vanished.filter(({ stage, id, leftAtMs }) =>
      this.engines.some((engine) =>
        engine.callsOf(id).some(({ atMs }) => stage === 'in line' || stage === 'half a body' || atMs > leftAtMs + KNOWN_MS),
      ),
    ).length
  }

  private ask(stage: Stage, id: string): VanishingClient {
    const { model, word, stream } = scenes[stage]
    this.asked += 1
    const share = stage === 'half a body' ? { bodyShare: 0.6 } : {}
    return new VanishingClient(this.url, {
      model,
      content: stage.startsWith('engine') ? `${id} ${word}` : `${word} ${id}`,
      stream,
      ...share,
    })
  }

  private async vanish(stage: Stage, id: string, draw: Seeded): Promise<void> {
    const client = this.ask(stage, id)
    await until(() => scenes[stage].isThere(client, this.callsOf(id)), 15_000).catch(() => {
      throw new Error(`the client ${id} never came to the stage ${stage}; it heard ${client.heard.slice(0, 500)}`)
    })
    await new Promise((resolve) => setTimeout(resolve, draw.below(150)))
    client.vanish()
    const open = this.engines.flatMap((engine) => engine.callsOf(id)).filter(({ closedAtMs }) => closedAtMs === undefined)
    await until(() => open.every(({ closedAtMs }) => closedAtMs !== undefined), 5_000).catch(() => undefined)
    this.vanished.push({
      stage,
      id,
      leftAtMs: client.leftAtMs,
      closedAfterMs: open.map(({ closedAtMs = Infinity }) => closedAtMs - client.leftAtMs),
    })
  }

  private callsOf(id: string): number {
    return this.engines.reduce((sum, engine) => sum + engine.callsOf(id).length, 0)
  }
}

/** Of all connections that were open when their client left. */
export function closingTimes(vanished: readonly Vanished[]): { readonly count: number; readonly p50Ms: number; readonly p99Ms: number } {
  const times = vanished.flatMap(({ closedAfterMs }) => closedAfterMs).toSorted((a, b) => a - b)
  const quantile = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN
  return { count: times.length, p50Ms: quantile(0.5), p99Ms: quantile(0.99) }
}
