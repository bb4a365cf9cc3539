import { createServer as createHttp, type Server as HttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { expect } from 'vitest'
import { seededRandom, systemClock } from '../base/index.js'
import {
  silentLogger,
  type AbsentNode,
  type BeliefView,
  type Decision,
  type NodeOutcome,
  type Face,
  type Lease,
  type LeaseBook,
  type RequestRecord,
  type RosterNode,
  type ShadowPair,
  type Strategy,
} from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { createBelief } from '../insight/index.js'
import { retryPlan, type RetryPlan, type SplitPlan } from '../topology/index.js'
import { Door, nodeExchange, TimerWheel, UpstreamEngine, type Exchange, type UpstreamTimeouts } from '../wire/index.js'
import type { Labels } from './asked-headers.js'
import { createProxy, type Proxy } from './create-proxy.js'
import type { DeskWord } from './quarantine/index.js'

/** What a scripted engine does with one request, on the raw socket. */
export type Script = (socket: Socket, request: string) => void

/** The two ways in: somebody's node:http server, and our own listener. */
export const doorNames = ['handler', 'listen'] as const
export type DoorName = (typeof doorNames)[number]

/** Engines made of raw sockets, a proxy in front of them, one of the doors before that. */
export class Rig {
  readonly records: RequestRecord[] = []
  readonly requests: string[][] = []
  opened = 0
  settled = 0
  firstTokens = 0
  url = ''
  retries = 2
  /** Nothing waits unless it is said here. */
  retryRules: Partial<RetryPlan> = { waitMs: 0, loadingMs: 0 }
  continuation: 'exact' | 'text' | 'off' = 'text'
  face: Face = 'openai-chat'
  heartbeatMs = 15_000
  maxBodyBytes = 100_000
  strategy: Strategy = { pick: () => 0 }
  sessionHeader: string | undefined
  requiredLabels: Labels | undefined
  client: string | undefined
  trustedProxies: readonly string[] = []
  line = { max: 100, longestMs: 5_000 }
  traceShare = 0
  zone: string | undefined
  handover: { readonly minPromptTokens: number; readonly orServe: boolean } | undefined
  readonly decisions: Decision[] = []
  /** What the office of the quarantine is told; it lets everybody go. */
  readonly deskWords: DeskWord[] = []
  readonly outcomes: NodeOutcome[] = []
  readonly shadows: ShadowPair[] = []
  readonly sentBack: RequestRecord[] = []
  split: SplitPlan | undefined
  weights: ReadonlyMap<string, string> | undefined
  wake: { readonly withinMs: number } | undefined
  proxy: Proxy | undefined
  /** Nodes in this order; the first untried one is picked. */
  readonly nodes: RosterNode[] = []
  /** Nodes that take no requests. */
  readonly withheld: RosterNode[] = []
  timeouts: Partial<UpstreamTimeouts> = {}
  /** Nodes that are not ready. */
  absent: AbsentNode[] = []
  private readonly servers: Server[] = []
  private front: HttpServer | undefined
  private listener: Door | undefined
  private readonly wheel = new TimerWheel(systemClock)
  private readonly belief = createBelief({ clock: systemClock, capacity: 16 })
  private readonly upstream = new UpstreamEngine({ clock: systemClock, wheel: this.wheel })

  constructor(private readonly door: DoorName = 'handler') {}

  async engine(script: Script, more: Partial<RosterNode> = {}): Promise<void> {
    const seen: string[] = []
    this.requests.push(seen)
    const server = createServer((socket) => answerOn(socket, seen, script))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.servers.push(server)
    this.add((server.address() as AddressInfo).port, more)
  }

  dead(): void {
    this.add(1, {})
  }

  async open(): Promise<void> {
    const pool = () => ({
      name: 'p',
      models: ['m'],
      strategy: this.strategy,
      strategyName: 'scripted',
      sessionHeader: this.sessionHeader,
      requiredLabels: this.requiredLabels,
      line: this.line,
      handover: this.handover,
      retries: { ...retryPlan(), max: this.retries, ...this.retryRules },
      continuation: this.continuation,
      split: this.split,
      weights: this.weights,
      wake: this.wake,
      timeouts: { connectMs: 1_000, firstTokenMs: 2_000, idleMs: 2_000, ...this.timeouts },
    })
    const proxy: Proxy = createProxy({
      rosters: {
        current: () => ({
          version: 1,
          nodes: [...this.nodes, ...this.withheld],
          routable: () => this.tiers()[0] ?? [],
          tiers: () => this.tiers(),
          absent: () => this.absent,
          emptyReason: () => (this.absent.some(({ state }) => state === 'loading') ? 'loading' : 'down'),
        }),
      },
      leases: this.leases(),
      upstream: this.upstream,
      wheel: this.wheel,
      clock: systemClock,
      log: silentLogger,
      pools: () => ({ poolOf: (model) => (model === 'm' ? pool() : undefined), only: pool(), models: ['m'] }),
      limits: () => ({
        maxBodyBytes: this.maxBodyBytes,
        maxBodiesBytes: 10 * this.maxBodyBytes,
        heartbeatMs: this.heartbeatMs,
        traceShare: this.traceShare,
        ...(this.zone === undefined ? {} : { zone: this.zone }),
      }),
      random: seededRandom(1),
      salt: Buffer.from('salt'),
      onSettled: (record) => void this.records.push(record),
      onDecision: (decision) => void this.decisions.push(decision),
      onOutcome: (outcome) => void this.outcomes.push(outcome),
      onDeskWord: (word) => {
        this.deskWords.push(word)
        if (word.type === 'ask') proxy.quarantine({ type: 'go', ticket: word.ticket })
      },
      onLine: () => undefined,
      onShadow: (pair) => void this.shadows.push(pair),
      onSentBack: (record) => void this.sentBack.push(record),
    })
    this.proxy = proxy
    const port = await this.openDoor((exchange) =>
      proxy.handle({ exchange, face: this.face, requestId: `r${this.records.length}`, client: this.client }),
    )
    this.url = `http://127.0.0.1:${port}/v1/chat/completions`
  }

  ask(body: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'm', messages: [], ...body }),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  /** Nothing may be left: no connection, no deadline. */
  /** The law of leases: every claim that was opened is given back, whatever happened. */
  async end(): Promise<void> {
    await expect.poll(() => this.settled).toBe(this.opened)
    await this.close()
  }

  async close(): Promise<void> {
    this.front?.closeAllConnections()
    this.front?.close()
    this.listener?.stopAccepting()
    this.listener?.cutAll()
    this.upstream.close()
    for (const server of this.servers) server.close()
    await expect.poll(() => [this.listener?.size ?? 0, this.wheel.size, this.upstream.openSockets], { interval: 5 }).toEqual([0, 0, 0])
  }

  /** What the strategy may look at. */
  get view(): BeliefView {
    return this.belief
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  get openSockets(): number {
    return this.upstream.openSockets
  }

  private tiers(): RosterNode[][] {
    const ranks = [...new Set(this.nodes.map(({ rank = 0 }) => rank))].sort((a, b) => a - b)
    return ranks.length < 2
      ? [this.nodes].filter(({ length }) => length > 0)
      : ranks.map((rank) => this.nodes.filter((node) => (node.rank ?? 0) === rank))
  }

  private async openDoor(serve: (exchange: Exchange) => void): Promise<number> {
    if (this.door === 'listen') {
      const policy = { maxConnections: 1_000, connectionsPerAddress: 1_000, trustedProxies: this.trustedProxies }
      this.listener = new Door({ clock: systemClock, policy, onExchange: serve, refusalBody: ({ code }) => code })
      const server = await this.listener.listen({ host: '127.0.0.1', port: 0 })
      return (server.address() as AddressInfo).port
    }
    const front = createHttp((request, response) => serve(nodeExchange(request, response)))
    this.front = front
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    return (front.address() as AddressInfo).port
  }

  private leases(): LeaseBook {
    return {
      of: (node) => this.belief.of(node),
      cachedTokens: (facts, candidates) => this.belief.cachedTokens(facts, candidates),
      open: (node, facts, strategy): Lease => {
        const counted = this.belief.open(node, facts, strategy)
        this.opened += 1
        let open = true
        let waits = true
        return {
          believedCachedTokens: counted.believedCachedTokens,
          firstToken: () => {
            if (waits) this.firstTokens += 1
            waits = false
            counted.firstToken()
          },
          tokens: (count) => counted.tokens(count),
          settle: (end) => {
            if (open) this.settled += 1
            open = false
            counted.settle(end)
          },
        }
      },
    }
  }

  private add(port: number, more: Partial<RosterNode>): void {
    const index = this.nodes.length
    this.nodes.push({
      id: `p/n${index}`,
      index,
      weight: 1,
      incarnation: 1,
      connectionKey: `p/n${index}#1`,
      pool: 'p',
      engine: 'scripted',
      state: 'ready',
      url: `http://127.0.0.1:${port}`,
      target: { host: '127.0.0.1', port, tls: false, basePath: '', authority: `127.0.0.1:${port}` },
      dialect: openaiDialect(),
      model: undefined,
      authHeaders: {},
      ...more,
    })
  }
}

/** Collects one request at a time (head and counted body), then plays the script. */
function answerOn(socket: Socket, seen: string[], script: Script): void {
  let text = ''
  let needed = 0
  socket.on('error', () => undefined)
  socket.on('data', (part: Buffer) => {
    text += part.toString('latin1')
    if (text.length < needed) return
    const end = text.indexOf('\r\n\r\n')
    if (end === -1) return
    needed = end + 4 + Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0)
    if (text.length < needed) return
    needed = 0
    seen.push(text)
    const request = text
    text = ''
    script(socket, request)
  })
}

export * from './scripted-answers.test.fixture.js'
