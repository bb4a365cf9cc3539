/** A data thread: a gateway and a data path of its own on its own duplicate of each listening socket. Knows nodes only as the main thread shows them. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock, systemRandom, type TimerHandle } from '../base/index.js'
import type { Dialect, EnginePlugin, Logger, Roster, RosterNode, StrategyPlugin } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { createBelief, type Belief } from '../insight/index.js'
import { createBackend, type NodePlan, nodePlansOf, rosterOf } from '../nodes/index.js'
import type { Topology } from '../topology/index.js'
import { SocketCount } from '../wire/index.js'
import { BeliefPost } from './belief-post.js'
import { createDataPath, type DataPath } from './data-path.js'
import { importEngines, importStrategies } from './import-plugins.js'
import { createPluginHost } from './plugin-host.js'
import { isMoving, standingOf } from './standing.js'
import type { FromThread, RosterMessage, ThreadBirth, ToThread } from './thread-messages.js'

const LINE_TOLD_MS = 50
/** How often the main thread hears what strategies say of themselves. */
const REPORTS_TOLD_MS = 1_000

const birth = workerData as ThreadBirth
const tell = (message: FromThread): void => parentPort?.postMessage(message)

const log: Logger = {
  info: (event, facts = {}) => tell({ type: 'log', level: 'info', event, facts }),
  warn: (event, facts = {}) => tell({ type: 'log', level: 'warn', event, facts }),
  error: (event, facts = {}) => tell({ type: 'log', level: 'error', event, facts }),
}

/** Turns what the main thread shows into a roster: the dialect of each node is made here, once for each life of it. */
class Dialects {
  private readonly known = new Map<string, Dialect>()

  constructor(private readonly engines: ReadonlyMap<string, EnginePlugin>) {}

  roster({ version, nodes, loading, absent }: RosterMessage, topology: Topology): Roster {
    const plans = new Map(nodePlansOf(topology).map((plan) => [plan.id, plan]))
    const views = nodes.flatMap((node): RosterNode[] => {
      const key = `${node.connectionKey} ${node.url}`
      const plan = plans.get(node.id)
      let dialect = this.known.get(key)
      if (dialect === undefined && plan !== undefined) {
        dialect = this.make(plan, node.url)
        if (dialect !== undefined) this.known.set(key, dialect)
      }
      if (dialect === undefined) return []
      // The main thread is about to empty what the topology has no more: a request that came between the two would still go there.
      const state = plan === undefined && node.state === 'ready' ? 'draining' : node.state
      return [Object.freeze({ ...node, dialect, state })]
    })
    const current = new Set(nodes.map((node) => `${node.connectionKey} ${node.url}`))
    for (const key of this.known.keys()) if (!current.has(key)) this.known.delete(key)
    return rosterOf(version, views, new Set(loading), absent)
  }

  /** A plugin that fails here hurts its own nodes only: this thread sends them nothing. */
  private make(plan: NodePlan, url: string): Dialect | undefined {
    try {
      return createBackend(plan, url, { engines: this.engines, host: createPluginHost(log), env: process.env }).backend.dialect
    } catch (error) {
      log.error('thread.plugin_failed', { node: plan.id, error: messageOf(error) })
      return undefined
    }
  }
}

class Thread {
  private topology = birth.topology
  private rosterMessage = birth.roster
  private roster: Roster
  private closedBecause: string | undefined
  private isTellingLine = false
  private hasMoreToTell = false
  private retelling: TimerHandle | undefined
  private tellReportsFromMs = 0
  private readonly belief: Belief
  private readonly dataPath: DataPath
  private readonly scrapes = new Map<number, (metrics: { contentType: string; text: string }) => void>()

  constructor(
    private readonly dialects: Dialects,
    strategies: readonly StrategyPlugin[],
  ) {
    this.roster = dialects.roster(this.rosterMessage, this.topology)
    this.belief = beliefOf(birth)
    this.dataPath = createDataPath(
      {
        clock: systemClock,
        random: systemRandom,
        log,
        env: process.env,
        strategies,
        rosters: { current: () => this.roster },
        belief: this.belief,
        sockets: new SocketCount({ ...birth.sockets, thread: birth.thread }),
        salt: birth.salt,
        startedAtMs: birth.startedAtMs,
        closedBecause: () => this.closedBecause,
        metrics: () => this.scrape(),
        onSettled: (records) => {
          tell({ type: 'settled', records })
          this.tellReports()
          if (this.retelling === undefined && isMoving(standingOf(this.dataPath.proxy))) this.tellLine()
        },
        onSentBack: (record) => tell({ type: 'sent-back', record }),
        onOutcomes: (outcomes) => tell({ type: 'outcomes', outcomes }),
        onDecision: (decision) => tell({ type: 'decision', decision }),
        onDeskWord: (word) => tell({ type: 'quarantine', word }),
        onLine: () => this.tellLine(),
        onShadow: (pair) => tell({ type: 'shadow', pair }),
        onHotPrompt: (kept) => tell({ type: 'hot-prompt', kept }),
      },
      this.topology,
    )
  }

  async take(message: ToThread): Promise<void> {
    switch (message.type) {
      case 'roster':
        return this.show(message.roster, this.topology)
      case 'topology':
        this.dataPath.use(message.topology)
        return this.show(this.rosterMessage, message.topology)
      case 'steered':
        this.dataPath.steer(message.topology)
        return this.show(this.rosterMessage, message.topology)
      case 'members':
        return this.show(this.rosterMessage, message.topology)
      case 'listen':
        return tell({ type: 'listening', url: await this.dataPath.listeners.open(message.listen, this.topology.gateway) })
      case 'closing':
        this.closedBecause = message.reason
        return
      case 'belief':
        return this.belief.hear(message.news, message.thread)
      case 'loads':
        for (const [index, facts] of message.loads) this.belief.learnLoad(index, facts)
        return
      case 'quarantine':
        return this.dataPath.proxy.quarantine(message.word)
      case 'thread-died':
        return this.belief.forgetThread(message.thread)
      case 'stop-accepting':
        return this.dataPath.listeners.stopAccepting()
      case 'hear':
        return tell({ type: 'heard', id: message.id })
      case 'cut-all':
        this.dataPath.cutAll()
        return tell({ type: 'cut' })
      default:
        this.scrapes.get(message.id)?.(message)
        this.scrapes.delete(message.id)
    }
  }

  private show(roster: RosterMessage, topology: Topology): void {
    this.rosterMessage = roster
    this.topology = topology
    this.roster = this.dialects.roster(roster, topology)
    this.dataPath.nodesChanged()
  }

  /** A busy line changes a thousand times a second. The first in it is told of at once: somebody may have to wake a node. */
  private tellLine(): void {
    if (this.isTellingLine) return void (this.hasMoreToTell = true)
    this.isTellingLine = true
    this.hasMoreToTell = false
    this.tellStanding()
    systemClock.after(LINE_TOLD_MS, () => {
      this.isTellingLine = false
      if (this.hasMoreToTell) this.tellLine()
    })
  }

  /** Until nothing stands still any more: what was spent is forgotten with time alone. */
  private tellStanding(): void {
    const standing = standingOf(this.dataPath.proxy)
    tell({ type: 'standing', standing })
    this.retelling?.cancel()
    this.retelling = isMoving(standing) ? systemClock.after(REPORTS_TOLD_MS, () => this.tellLine()) : undefined
  }

  /** After requests, for nothing else teaches a strategy; seldom, for people read it. */
  private tellReports(): void {
    const nowMs = systemClock.nowMs()
    if (nowMs < this.tellReportsFromMs) return
    this.tellReportsFromMs = nowMs + REPORTS_TOLD_MS
    const reports = this.dataPath.strategyReports()
    if (reports.length > 0) tell({ type: 'strategy-reports', reports })
  }

  /** The numbers of all threads are with the main one. */
  private scrape(): Promise<{ contentType: string; text: string }> {
    const id = nextScrape++
    this.dataPath.settled.flush()
    tell({ type: 'metrics', id })
    return new Promise((resolve) => this.scrapes.set(id, resolve))
  }
}

let nextScrape = 0

/** This thread's share of what all believe. */
function beliefOf({ leases, thread, clocks }: ThreadBirth): Belief {
  const post = new BeliefPost(systemClock, () => {
    const news = belief.takeNews()
    parentPort?.postMessage({ type: 'belief', news } satisfies FromThread, [news.buffer as ArrayBuffer])
  })
  const belief: Belief = createBelief({
    clock: systemClock,
    buffer: leases,
    thread,
    // Monotonic clocks of threads begin at different moments; the calendar is one, and jumps seldom in the moment of a birth.
    aheadMs: clocks.nowMs + (systemClock.epochMs() - clocks.epochMs) - systemClock.nowMs(),
    onNews: post.gather,
    onFault: (error) => log.error('strategy.failed', { error: messageOf(error) }),
  })
  return belief
}

/** Messages are taken in order, one after the other. */
async function main(): Promise<void> {
  let last: Promise<void> = Promise.resolve()
  const early: ToThread[] = []
  let take = (message: ToThread): void => void early.push(message)
  parentPort?.on('message', (message: ToThread) => take(message))
  const [engines, strategies] = await Promise.all([importEngines(birth.engineModules), importStrategies(birth.strategyModules)])
  const thread = new Thread(new Dialects(engines), strategies)
  take = (message) => void (last = last.then(() => thread.take(message)))
  for (const listen of birth.listen) take({ type: 'listen', listen })
  for (const message of early) take(message)
}

await main()
