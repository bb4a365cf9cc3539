import { FakeClock } from '../base/index.js'
import { silentLogger, type RequestRecord } from '../contracts/index.js'
import { Node, nodePlansOf } from '../nodes/index.js'
import { resolveTopology, withChanges, type PoolChange, type Topology } from '../topology/index.js'
import { Autoscaler } from './autoscaler.js'
import type { NodeCounts } from './group-sight.js'
import type { ScaleWorld } from './scale-world.js'

const START_MS = 20_000
const idle: NodeCounts = { inFlight: 0, waiting: 0, prefillTokens: 0, tokensInFlight: 0 }
const noSettings = { settings: { type: 'object', additionalProperties: true } }

function topologyWith(nodes: readonly object[]): Promise<Topology> {
  const input = { version: 1, name: 'test', pools: { chat: { nodes, strategy: 'round-robin' } } } as never
  const catalogues = {
    engines: new Map([['sim', { ...noSettings, canLaunch: true }]]),
    strategies: new Map([['round-robin', noSettings]]),
    env: {},
  }
  return resolveTopology(input, catalogues)
}

/** A topology with real nodes that start and end by the clock: the place of a house in which scaling is watched. */
export class SmallHouse {
  readonly clock = new FakeClock()
  readonly told: string[] = []
  readonly warnings: string[] = []
  /** By node id; the others have nothing to do. */
  readonly counts = new Map<string, NodeCounts>()
  readonly refused = new Map<string, string>()
  readonly posted: unknown[] = []
  /** What the metrics are told. */
  readonly counted: string[] = []
  inLine = 0
  rollout: string | undefined
  /** What a trigger is answered; an error where nothing is. */
  answer: string | undefined = '0'
  diskFails = false
  /** Nodes that leave end what they have first: until `drained`. */
  drains = false
  /** What the webhook of a provider does. */
  posting: () => Promise<void> = () => Promise.resolve()
  private leavers: Node[] = []
  private readonly members = new Map<string, Node>()
  private changes = new Map<string, PoolChange>()

  private constructor(private declared: Topology) {
    this.sync()
    this.advance(START_MS)
  }

  static async of(replicas: unknown, more: readonly object[] = []): Promise<SmallHouse> {
    return new SmallHouse(await topologyWith([{ name: 'gpu', engine: 'sim', launch: { replicas } }, ...more]))
  }

  /** The file is edited: other groups, without a rollout's or scale's changes. */
  async redeclare(nodes: readonly object[]): Promise<void> {
    this.declared = await topologyWith(nodes)
    this.changes = new Map()
    this.sync()
  }

  drained(): void {
    this.leavers = []
  }

  get topology(): Topology {
    return withChanges(this.declared, this.changes)
  }

  get ids(): string[] {
    return [...this.members.keys()]
  }

  node(id: string): Node {
    const node = this.members.get(id)
    if (node === undefined) throw new Error(`no node ${id}`)
    return node
  }

  autoscaler(stateDir?: string): Autoscaler {
    const autoscaler = new Autoscaler(this.world(stateDir))
    autoscaler.start()
    return autoscaler
  }

  /** Lets time pass, a tenth of a second after the other, and promises with it. */
  async pass(seconds: number): Promise<void> {
    for (let tenth = 0; tenth < 10 * seconds; tenth++) {
      this.advance(100)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  private advance(ms: number): void {
    this.clock.advance(ms)
    for (const node of this.members.values())
      if (node.state === 'starting' && this.clock.epochMs() - node.sinceMs >= START_MS) node.move('steady')
  }

  private sync(): void {
    const plans = nodePlansOf(this.topology)
    for (const [id, node] of this.members) {
      if (plans.some((plan) => plan.id === id)) continue
      this.members.delete(id)
      if (this.drains) this.leavers.push(node)
    }
    for (const plan of plans) {
      if (this.members.has(plan.id)) continue
      const node = new Node(this.members.size, plan, this.clock, () => undefined)
      this.members.set(plan.id, node)
      node.move('start')
    }
  }

  private world(stateDir: string | undefined): ScaleWorld {
    const poolOf = (name: string) => {
      const pool = this.topology.pools.find((each) => each.name === name)
      if (pool === undefined) throw new Error(`no pool ${name}`)
      return pool
    }
    return {
      clock: this.clock,
      log: { ...silentLogger, warn: (event) => void this.warnings.push(event) },
      stateDir,
      env: { PATH: process.env['PATH'] },
      pools: () => this.topology.pools,
      pool: poolOf,
      change: async (pool, change) => {
        if (this.diskFails) throw new Error('no space left on the disk')
        this.changes = new Map([...this.changes, [pool, change]])
        this.sync()
      },
      nodes: () => [...this.members.values()],
      leaving: () => this.leavers,
      countsOf: ({ id }) => this.counts.get(id) ?? idle,
      inLine: () => new Map([['chat', this.inLine]]),
      heldBy: () => this.rollout,
      refusals: async () => this.refused,
      gpuUse: async () => undefined,
      fetchText: async () => {
        if (this.answer === undefined) throw new Error('connection refused')
        return this.answer
      },
      post: async (_url, body) => {
        this.posted.push(body)
        await this.posting()
      },
      measured: () => undefined,
      changed: ({ group }, direction) => void this.counted.push(`${group} ${direction}`),
      failed: ({ group }, what) => void this.counted.push(`${group} ${what}`),
      tell: (_pool, message) => void this.told.push(message),
    }
  }
}

/** A request that has ended, as far as scaling looks at it. */
export function record(node: string, more: Partial<RequestRecord> = {}): RequestRecord {
  return {
    v: 1,
    id: 'r',
    arrivedAtMs: 0,
    face: 'openai-chat',
    pool: 'chat',
    model: 'chat',
    stream: true,
    node,
    attempts: [],
    status: 200,
    outcome: 'ok',
    errorCode: null,
    bodyBytes: 100,
    promptTokens: 500,
    completionTokens: 50,
    cachedTokens: 0,
    inLineMs: 0,
    tokensMeasured: true,
    ttftMs: 100,
    totalMs: 1_000,
    prefixHashes: new Float64Array(0),
    ...more,
  }
}
