import { createHmac, randomBytes } from 'node:crypto'
import type { Decision, NodeOutcome, RequestRecord, ShadowPair } from '../contracts/index.js'
import { Discovery } from '../discovery/index.js'
import { messageOf } from '../errors/index.js'
import { ProbeLoop, type NodeJudge } from '../health/index.js'
import { createBelief, type Belief } from '../insight/index.js'
import { expectedNeed, Fleet, GpuDesks, memoryFits, type Node } from '../nodes/index.js'
import { createRecordRing, type DeskWord, type OfficeWord, type QuarantineOffice, type RecordRing, type Sentence } from '../proxy/index.js'
import { stateFolderKey } from '../state/index.js'
import { GatewayMetrics, prometheusContentType, RequestStats } from '../telemetry/index.js'
import { withMembers, type Topology } from '../topology/index.js'
import { CacheWatch, type WatchedNode } from './cache-watch.js'
import { createDataPath, type DataPath } from './data-path.js'
import { DecisionBook } from './decision-book.js'
import { DataThreads } from './data-threads.js'
import { forgetGone } from './forget-gone.js'
import { GpuBoard } from './gpu-board.js'
import { installationSalt } from './installation-salt.js'
import { NodeLives } from './node-lives.js'
import { nodeReadings } from './node-readings.js'
import { hearOfEnds, openOffice } from './quarantine-office.js'
import { createPluginHost } from './plugin-host.js'
import type { Resolved } from './resolved-options.js'
import { seatJudge } from './seat-judge.js'
import { seatWarmer } from './seat-warmer.js'
import { SharedBelief } from './shared-belief.js'
import { createSocketCount } from './socket-room.js'
import { standings, type Standing } from './standing.js'
import { meanReports, type StrategyReport } from './strategy-reports.js'
import { coreVersion } from './version.js'
import type { Watchdog } from './watchdog/watchdog.js'
import { seatWatchdog } from './watchdog/seat-watchdog.js'

/** The rooms of one balancer, wired to each other. */
export interface Assembly {
  readonly fleet: Fleet
  readonly belief: Belief
  readonly probes: ProbeLoop
  /** Who is out because of how its requests fare. */
  readonly judge: NodeJudge
  readonly watchdog: Watchdog
  readonly stats: RequestStats
  readonly metrics: GatewayMetrics
  readonly ring: RecordRing
  /** How requests found their nodes. */
  readonly decisions: DecisionBook
  /** Who sits on which accelerator, and what they are like. */
  readonly gpuDesk: GpuDesks
  readonly gpuBoard: GpuBoard
  /** The data path of this thread: what the handler and fetch doors use, and all there is without data threads. */
  readonly dataPath: DataPath
  readonly threads: DataThreads | undefined
  readonly discovery: Discovery
  /** Requests that make engines crash. */
  readonly office: QuarantineOffice
  /** Requests in line, and what was spent on tries in vain, over all threads. */
  standing(): Standing
  /** What strategies say of themselves, over all threads. */
  strategyReports(): readonly StrategyReport[]
  /** Points routing and the watch over sources at a topology; its nodes are the business of `join`. */
  use(topology: Topology): void
  /** Asks engines and tools nothing more. */
  stopAsking(): void
  /** Makes the nodes those of a topology, with the members that its sources tell now. */
  join(topology: Topology): Promise<void>
}

export interface AssemblyHooks {
  /** Why new requests are refused; undefined while they are welcome. */
  readonly closedBecause: () => string | undefined
  readonly onSettled: (record: RequestRecord) => void
  /** A request waits for another revision than the one that has failed it: what is known of it so far. */
  readonly onSentBack: (record: RequestRecord) => void
  /** A request was answered, and so was its copy at a revision that answers nobody. */
  readonly onShadow: (pair: ShadowPair) => void
  /** Other requests wait in line than before; `standing` tells how many. */
  readonly onLine: () => void
  /** A source has told other members. */
  readonly onMembers: () => void
  /** A source fails, or is well again. */
  readonly onSourceHealth: (message: string) => void
  /** A body is in quarantine now. */
  readonly onSentence: (sentence: Sentence) => void
  /** Data threads died more often than there are sockets for. */
  readonly onBroken: () => void
}

/** Builds every room once. Nothing starts here. */
export function assemble(options: Resolved, first: Topology, hooks: AssemblyHooks): Assembly {
  const { clock, random, log } = options
  const threadCount = options.threads?.count ?? 0
  const shared = new SharedBelief(clock, () => belief)
  const belief: Belief = createBelief({
    clock,
    threads: threadCount + 1,
    ...(threadCount === 0 ? {} : { onNews: shared.gather }),
    onGap: (index, gap) => judge.pace(index, gap),
    onFault: (error) => log.error('strategy.failed', { error: messageOf(error) }),
  })
  const engines = new Map(options.engines.map((plugin) => [plugin.engine, plugin]))
  const salt = installationSalt(options.stateDir)
  const nodeKey = (nodeId: string): string => createHmac('sha256', salt).update(`key of ${nodeId}`).digest('hex')
  const making = { engines, host: createPluginHost(log), env: options.env, nodeKey }
  const gpuBoard = new GpuBoard({ clock, env: options.env, topologyName: first.name })
  const gpuDesk = new GpuDesks({
    clock,
    log,
    env: options.env,
    watch: gpuBoard.watch,
    watchOf: (host) => gpuBoard.watchOf(host),
    reservations: gpuBoard.reservations,
    topologyName: first.name,
    plans: () => fleet.nodes().flatMap(({ plan }) => (plan.group.rests === true ? [] : [plan])),
    needOf: (plan) => expectedNeed(plan, making),
    fitsOf: (plan, room) => memoryFits(plan, room, making),
  })
  const fleet: Fleet = new Fleet({
    ...making,
    clock,
    random,
    log,
    leases: belief,
    gpus: gpuDesk,
    logDir: options.logDir,
    topologyName: first.name,
    markKey: options.stateDir === undefined ? randomBytes(4).toString('hex') : stateFolderKey(options.stateDir),
    leftovers: options.leftovers,
    heard: async () => threads?.heard(),
    warmer: seatWarmer({ warmer: () => dataPath.proxy, rosters: () => fleet, standing: () => standings(dataPath, threads) }),
  })
  const probes = new ProbeLoop({
    clock,
    random,
    nodes: () => fleet.nodes(),
    onReport(id, report, tookMs) {
      fleet.heard(id, report, tookMs)
      watchdog.heard(id, report, tookMs)
    },
    onVerdict: (id, verdict, report) => fleet.report(id, verdict, report),
    onUnasked: (why) => log.error('probe.no_descriptor', { why, hint: 'raise the limit of open files (ulimit -n, LimitNOFILE)' }),
    onLoad: (id, facts) => {
      const node = fleet.learnLoad(id, facts)
      if (node?.load !== undefined && node.load !== null) shared.learnLoad(node.index, node.load.facts)
    },
    onLoadFailed: (id, why) => log.warn('node.load_unknown', { node: id, why }),
  })
  const judge = seatJudge({ clock, fleet, belief, canary: (nodeId) => watchdog.askInstead(nodeId) })
  const { stateDir } = options
  const { host } = making
  const watchdog = seatWatchdog({ clock, log, fleet, belief, host, judge: () => judge, stateDir, gpus: gpuBoard.watch, env: options.env })
  const lives = new NodeLives()
  const cacheWatch = new CacheWatch({ clock, log, belief })
  fleet.events.on('roster', () => {
    for (const { index } of lives.gone(fleet.current())) {
      belief.forget(index)
      judge.forget(index)
    }
    cacheWatch.sync(fleet.nodes().map((node) => watchedNode(node)))
    dataPath.nodesChanged()
  })
  fleet.events.on('membership', () => probes.sync())
  fleet.events.on('record', () => probes.sync())
  fleet.events.on('changed', () => probes.sync())
  const tellDesks = (word: OfficeWord, thread?: number): void => {
    if (thread === undefined || thread === 0) dataPath.proxy.quarantine(word)
    if (thread !== 0) threads?.quarantine(word, thread)
  }
  const office = openOffice({ clock, log, fleet, tell: tellDesks, desks: () => [0, ...(threads?.ids ?? [])], onSentence: hooks.onSentence })
  const stats = new RequestStats(clock)
  const { onMembers, onSourceHealth: onHealth } = hooks
  const discovery = new Discovery({ clock, random, log, env: options.env, stateDir: options.stateDir, onMembers, onHealth })
  const metrics = new GatewayMetrics({
    version: coreVersion(),
    sources: () => discovery.readings(),
    nodes: () => nodeReadings({ fleet, belief, judge, watchdog }, clock.nowMs()),
    mirrorBytes: () => (threadCount + 1) * belief.mirrorBytes,
    quarantine: () => ({ bodies: office.list().length, suspects: office.suspects }),
    inLine: () => standings(dataPath, threads).inLine,
    budgets: () => standings(dataPath, threads).budgets,
    strategies: () => strategyReports(dataPath, threads),
  })
  const ring = createRecordRing()
  const decisions = new DecisionBook(ring)
  const onDecision = (decision: Decision): void => decisions.add(decision)
  const onOutcomes = (outcomes: readonly NodeOutcome[]): void => {
    hearOfEnds(office, fleet, outcomes)
    judge.outcomes(outcomes)
  }
  const onSettled = (records: readonly RequestRecord[]): void => {
    for (const record of records) {
      stats.settle(record)
      metrics.settle(record)
      if (threads !== undefined) dataPath.proxy.hotPrompts.counted(record)
      ring.add(record)
      decisions.settle(record)
      watchdog.settled(record)
      hooks.onSettled(record)
    }
  }
  const startedAtMs = clock.epochMs()
  const scrape = (): { contentType: string; text: string } => {
    dataPath.settled.flush()
    return { contentType: prometheusContentType, text: metrics.render() }
  }
  const parts = {
    clock,
    random,
    log,
    env: options.env,
    strategies: options.strategies,
    rosters: fleet,
    belief,
    sockets: createSocketCount(first.gateway, threadCount + 1, log),
    salt,
    startedAtMs,
    onDecision,
    onOutcomes,
    onDeskWord: (word: DeskWord): void => office.hear(0, word),
    onSentBack: hooks.onSentBack,
    onShadow: hooks.onShadow,
    onLine: hooks.onLine,
    office,
  }
  const dataPath: DataPath = createDataPath(
    { ...parts, closedBecause: hooks.closedBecause, metrics: () => Promise.resolve(scrape()), onSettled },
    first,
  )
  const threads: DataThreads | undefined =
    options.threads === undefined || threadCount === 0
      ? undefined
      : new DataThreads({
          ...parts,
          ...options.threads,
          shared,
          fleet,
          topology: first,
          metrics: scrape,
          onSettled,
          onHotPrompt: (kept) => dataPath.proxy.hotPrompts.take(kept),
          onBroken: hooks.onBroken,
        })
  forgetGone({ fleet, clock, books: [stats, metrics] })
  return {
    fleet,
    belief,
    discovery,
    office,
    probes,
    judge,
    watchdog,
    stats,
    metrics,
    ring,
    decisions,
    gpuDesk,
    gpuBoard,
    dataPath,
    threads,
    standing: () => standings(dataPath, threads),
    strategyReports: () => strategyReports(dataPath, threads),
    use(topology) {
      dataPath.use(topology)
      discovery.use(topology)
      threads?.use(withMembers(topology, discovery.members()))
      stats.retainPools(new Set(topology.pools.map((pool) => pool.name)))
    },
    stopAsking() {
      probes.stop()
      judge.stop()
      watchdog.stop()
      cacheWatch.stop()
      gpuBoard.close()
    },
    join(topology) {
      const whole = withMembers(topology, discovery.members())
      // Before the roster that names the new ones.
      threads?.members(whole)
      return fleet.apply(whole)
    },
  }
}

/** The main thread's own strategies choose only where there are no data threads. */
function strategyReports(dataPath: DataPath, threads: DataThreads | undefined): readonly StrategyReport[] {
  return threads === undefined ? dataPath.strategyReports() : meanReports(threads.strategyReports())
}

function watchedNode({ id, index, incarnation, endpoint }: Node): WatchedNode {
  return { id, index, incarnation, backend: endpoint?.backend }
}
