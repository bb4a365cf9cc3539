/** Looks at every node four times a second, at `lb status` and at the engines themselves: who was out for how long, who got how many requests. */
import type { House, NodeRow, StatusDocument } from './house.js'
import { controlSocket, getFrom } from './thread-load.js'

const EVERY_MS = 250

/** One time that a node was out. */
export interface Spell {
  readonly node: number
  readonly fromMs: number
  /** Undefined: it lasts. */
  toMs: number | undefined
  readonly state: string
  readonly reason: string
}

interface Sample {
  readonly atMs: number
  /** Requests that each engine was sent so far. */
  readonly received: readonly number[]
  readonly states: readonly string[]
}

/** An engine that counts what it is sent. */
export interface Counted {
  readonly url: string
}

export class NodeWatch {
  readonly samples: Sample[] = []
  readonly spells: Spell[] = []
  private readonly stop = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private readonly received: number[]

  private constructor(
    private readonly socketPath: string,
    private readonly engines: readonly Counted[],
  ) {
    this.received = engines.map(() => 0)
  }

  static async start(house: House, engines: readonly Counted[]): Promise<NodeWatch> {
    const watch = new NodeWatch(await controlSocket(house), engines)
    watch.running = watch.run()
    return watch
  }

  async close(): Promise<void> {
    this.stop.abort()
    await this.running
  }

  /** Share of what all nodes were sent between two moments that this one was; NaN where there was nothing. */
  share(node: number, fromMs: number, toMs: number): number {
    const counts = this.sentBetween(fromMs, toMs)
    return (counts[node] ?? 0) / counts.reduce((sum, count) => sum + count, 0)
  }

  sentBetween(fromMs: number, toMs: number): number[] {
    const [first, last] = [this.sampleAt(fromMs), this.sampleAt(toMs)]
    return this.engines.map((_engine, index) => Math.max(0, (last?.received[index] ?? 0) - (first?.received[index] ?? 0)))
  }

  /** Most nodes that were out at one moment. */
  get mostOut(): number {
    return Math.max(0, ...this.samples.map(({ states }) => states.filter((state) => state !== 'ready').length))
  }

  spellsOf(node: number): Spell[] {
    return this.spells.filter((spell) => spell.node === node)
  }

  private sampleAt(ms: number): Sample | undefined {
    return this.samples.findLast(({ atMs }) => atMs <= ms) ?? this.samples[0]
  }

  private async run(): Promise<void> {
    while (!this.stop.signal.aborted) {
      const [nodes] = await Promise.all([this.nodes(), ...this.engines.map((engine, index) => this.count(engine, index))])
      const states = nodes.map(({ state }) => state)
      const atMs = performance.now()
      this.samples.push({ atMs, received: [...this.received], states })
      for (const [index, row] of nodes.entries()) this.see(index, row, atMs)
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
  }

  private see(node: number, { state, reason }: NodeRow, atMs: number): void {
    const open = this.spells.findLast((spell) => spell.node === node && spell.toMs === undefined)
    if (open !== undefined && open.state !== state) open.toMs = atMs
    if (state !== 'ready' && (open === undefined || open.toMs !== undefined))
      this.spells.push({ node, fromMs: atMs, toMs: undefined, state, reason: reason ?? '' })
  }

  private async nodes(): Promise<readonly NodeRow[]> {
    const status = await getFrom<StatusDocument>(this.socketPath, '/v1/status')
    return status.pools[0]?.nodes ?? []
  }

  /** A dead or stopped engine counts nothing; one that came back counts from 0. */
  private async count({ url }: Counted, index: number): Promise<void> {
    try {
      const answer = await fetch(`${url}/sim/state`, { signal: AbortSignal.timeout(1_000) })
      const { received } = (await answer.json()) as { received: number }
      this.received[index] = Math.max(this.received[index] ?? 0, received)
    } catch {
      // As it was.
    }
  }
}
