import type { Clock, TimerHandle } from '../../base/index.js'
import type { BeliefView, Logger, PluginHost, ProbeReport, RequestRecord } from '../../contracts/index.js'
import { HungWatch, WorkTimes, type Charge, type HungVerdict, type NodeSigns } from '../../health/index.js'
import type { GpuReading } from '../../machines/index.js'
import type { Node } from '../../nodes/index.js'
import { askCanary, type CanaryEnd } from './canary.js'
import { evidenceOf } from './evidence.js'
import type { EvidenceKeeper } from './evidence-keeper.js'
import type { GpuHealth } from './gpu-health.js'
import { isLoadingModel, NodeNotes } from './node-notes.js'
import { ProcessWatch } from './process-watch.js'
import { workSampleOf } from './work-sample.js'

export interface WatchdogOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly nodes: () => readonly Node[]
  readonly belief: BeliefView
  readonly host: Pick<PluginHost, 'send'>
  /** Takes a node out; false where it may not. */
  readonly eject: (nodeId: string, charge: Charge) => boolean
  /** Ends a launched engine, and starts it again within its budget. */
  readonly revive: (nodeId: string, why: string) => void
  /** Absent: nothing is kept. */
  readonly evidence?: EvidenceKeeper
  readonly gpus: () => GpuReading | undefined
  readonly gpuHealth: Pick<GpuHealth, 'wrongWith' | 'start' | 'stop'>
}

/** What is counted of one node since it joined. */
export interface WatchdogCounts {
  hung: number
  revived: number
  readonly canaries: Record<CanaryEnd['kind'], number>
}

const LOOK_MS = 250
/** Nobody is asked by lb itself more often than this, doubt or not. */
const CANARY_EVERY_MS = 5_000
/** So many unanswered requests of lb's own in a row, where nothing else is in flight, show that a node hangs. */
const SILENT_CANARIES = 2

/** Watches over work in progress: finds nodes that hang although their probes may be good, keeps evidence, has them taken out and launched ones restarted. */
export class Watchdog {
  private readonly times = new WorkTimes()
  private readonly watch = new HungWatch(this.times)
  private readonly processes = new ProcessWatch()
  private readonly notes = new Map<string, NodeNotes>()
  private readonly counts = new Map<string, WatchdogCounts>()
  private readonly files = new Map<string, string>()
  private nodes = new Map<string, Node>()
  private timer: TimerHandle | undefined
  private stopped = false

  constructor(private readonly options: WatchdogOptions) {}

  stop(): void {
    this.stopped = true
    this.options.gpuHealth.stop()
    this.timer?.cancel()
  }

  /** Nodes joined or left. */
  sync(): void {
    this.nodes = new Map(this.options.nodes().map((node) => [node.id, node]))
    const present = new Set(this.nodes.keys())
    for (const id of this.notes.keys()) if (!present.has(id)) this.processes.forget(id)
    for (const map of [this.notes, this.counts, this.files]) for (const id of map.keys()) if (!present.has(id)) map.delete(id)
    this.watch.retain(present)
    this.times.retain(present)
    if (this.timer !== undefined) return
    this.lookLater()
    this.options.gpuHealth.start()
  }

  /** How a probe went. */
  heard(nodeId: string, report: ProbeReport, tookMs: number): void {
    const node = this.nodes.get(nodeId)
    if (node === undefined) return
    const { timeoutMs } = node.plan.pool.health
    this.notesOf(node).heard(report, { tookMs, timeoutMs, atMs: this.options.clock.epochMs() })
  }

  /** A request has ended. */
  settled(record: RequestRecord): void {
    const node = record.node === null ? undefined : this.nodes.get(record.node)
    const sample = node === undefined ? undefined : workSampleOf(record, kinOf(node))
    if (sample !== undefined) this.times.learn(sample)
  }

  /** Asks a node for one token, in the place of a client: undefined when it is well, else what is wrong. Undefined at once where its pool does not want that. */
  askInstead(nodeId: string): Promise<string | undefined> | undefined {
    const wrong = this.options.gpuHealth.wrongWith(nodeId)
    if (wrong !== undefined) return Promise.resolve(wrong)
    const node = this.nodes.get(nodeId)
    if (node === undefined || !mayBeAsked(node)) return undefined
    return this.ask(node)?.then(({ kind, why }) => (kind === 'answered' ? undefined : why))
  }

  countsOf(nodeId: string): WatchdogCounts | undefined {
    return this.counts.get(nodeId)
  }

  /** The file with what was seen when the node was last found to hang. */
  evidenceOf(nodeId: string): string | undefined {
    return this.files.get(nodeId)
  }

  private turn(): void {
    if (this.stopped) return
    const { clock, log } = this.options
    const nowMs = clock.nowMs()
    for (const node of this.nodes.values()) {
      try {
        this.look(node, nowMs)
      } catch (error) {
        log.error('watchdog.failed', { node: node.id, error: String(error) })
      }
    }
    this.lookLater()
  }

  private lookLater(): void {
    if (!this.stopped) this.timer = this.options.clock.after(LOOK_MS, () => this.turn())
  }

  private look(node: Node, nowMs: number): void {
    const { hung } = node.plan.pool.health
    if (node.endpoint === undefined || !isWatched(node)) return
    const notes = this.notesOf(node)
    notes.sees(node.load)
    const belief = this.options.belief.of(node)
    if (belief.lastTokenMs > (notes.hungSinceMs ?? Infinity)) notes.isWell()
    if (hung === undefined) return
    // Of a thousand nodes most are idle at a moment.
    const isBusy = belief.inFlight > 0
    const signs = isBusy || notes.wasBusy ? this.signsOf(node, notes, nowMs) : undefined
    notes.wasBusy = isBusy
    const verdict = signs === undefined ? undefined : this.watch.look(signs, hung, nowMs)
    if (signs !== undefined && verdict?.kind === 'hung') this.isHung({ node, notes, signs, verdict, nowMs })
    this.reviveIfDue(node, notes, nowMs)
    if (this.isCanaryDue(node, notes, { verdict, nowMs })) void this.ask(node)
  }

  private signsOf(node: Node, notes: NodeNotes, nowMs: number): NodeSigns {
    const { inFlight, waiting, largestPromptTokens, silentTokens, lastTokenMs, lastProgressMs } = this.options.belief.of(node)
    const { endpoint, plan, load, standing } = node
    const isOurs = plan.group.launch !== undefined || isAlone(node, inFlight, nowMs)
    const pid = plan.group.launch === undefined || endpoint?.launch?.host !== undefined ? undefined : endpoint?.process?.pid
    const isQuiet = inFlight > 0 && nowMs - Math.max(lastProgressMs, notes.lastSignMs) > 1_000
    return {
      id: node.id,
      kin: kinOf(node),
      life: node.incarnation,
      inFlight,
      waiting,
      largestPromptTokens,
      silentTokens,
      lastTokenMs,
      lastProgressMs,
      lastSignMs: notes.lastSignMs,
      unanswered: notes.unanswered,
      process: pid === undefined || !isQuiet ? undefined : this.processes.does(node.id, pid, nowMs),
      isOurs,
      onTrial: standing.trial !== undefined,
      isLoading: isLoadingModel(load?.facts, plan.group.model === undefined ? plan.pool.models : [plan.group.model]),
    }
  }

  private isHung(scene: {
    readonly node: Node
    readonly notes: NodeNotes
    readonly signs: NodeSigns
    readonly verdict: Exclude<HungVerdict, { kind: 'well' }>
    readonly nowMs: number
  }): void {
    const { node, notes, verdict, nowMs } = scene
    const { evidence, clock, belief, log } = this.options
    const epochMs = clock.epochMs()
    const file = evidence?.pathFor(node.id, epochMs)
    // Before it is taken out, and its requests with it.
    const kept = evidenceOf({ ...scene, belief: belief.of(node), gpus: this.options.gpus(), epochMs })
    this.watch.clear(node.id)
    const why = file === undefined ? verdict.why : `${verdict.why}; evidence: ${file}`
    if (!this.options.eject(node.id, { kind: 'hung', why, lost: `the node hangs: ${verdict.why}` })) return
    notes.hungSinceMs ??= nowMs
    notes.hungAtMs = nowMs
    this.countsOfNode(node.id).hung += 1
    log.warn('node.hung', { node: node.id, why: verdict.why, allowedMs: Math.round(verdict.allowed.ms), evidence: file })
    if (file === undefined) return
    this.files.set(node.id, file)
    void evidence?.write(file, kept)
  }

  /** It was found to hang again, or let a request of lb's own lie, since it was first found to. */
  private reviveIfDue(node: Node, notes: NodeNotes, nowMs: number): void {
    const { hungSinceMs, restarted } = notes
    const restartAfterMs = node.plan.pool.health.hung?.restartAfterMs ?? 0
    if (hungSinceMs === undefined || restarted || restartAfterMs === 0 || node.plan.group.launch === undefined) return
    const isConfirmed = Math.max(notes.hungAtMs, notes.canarySilentAtMs) > hungSinceMs
    if (!isConfirmed || nowMs - hungSinceMs < restartAfterMs || node.state === 'draining') return
    notes.restarted = true
    this.countsOfNode(node.id).revived += 1
    this.options.revive(node.id, `it hung for ${Math.round((nowMs - hungSinceMs) / 1_000)} s`)
  }

  private isCanaryDue(node: Node, notes: NodeNotes, { verdict, nowMs }: { verdict: HungVerdict | undefined; nowMs: number }): boolean {
    const { everyMs } = node.plan.pool.health.canary
    if (!mayBeAsked(node) || notes.canaryUnderWay) return false
    const agoMs = nowMs - notes.canaryAtMs
    if (agoMs < Math.max(CANARY_EVERY_MS, node.endpoint?.backend.minProbeIntervalMs ?? 0)) return false
    if (verdict?.kind === 'doubted') return true
    return everyMs > 0 && agoMs >= everyMs && node.state === 'ready'
  }

  private ask(node: Node): Promise<CanaryEnd> | undefined {
    const { clock, host } = this.options
    const notes = this.notesOf(node)
    const asked = askCanary(node, node.plan.pool.health.canary.withinMs, { clock, host })
    if (asked === undefined) return undefined
    const askedAtMs = clock.nowMs()
    notes.canaryAtMs = askedAtMs
    notes.canaryUnderWay = true
    return asked.then((end) => {
      notes.canaryUnderWay = false
      this.countsOfNode(node.id).canaries[end.kind] += 1
      if (this.notes.get(node.id) !== notes || this.stopped) return end
      if (end.kind === 'answered') notes.showsLife(clock.nowMs())
      if (end.kind === 'silent') this.wasSilent(node, notes, askedAtMs)
      return end
    })
  }

  private wasSilent(node: Node, notes: NodeNotes, askedAtMs: number): void {
    const { belief, clock } = this.options
    const { inFlight, lastTokenMs } = belief.of(node)
    notes.canarySilentAtMs = clock.nowMs()
    notes.canariesSilent = lastTokenMs >= askedAtMs ? 0 : notes.canariesSilent + 1
    if (notes.canariesSilent < SILENT_CANARIES || inFlight > 0 || node.standing.ejection !== undefined || !isWatched(node)) return
    const verdict = silentVerdict(notes, node)
    const signs = this.signsOf(node, notes, clock.nowMs())
    if (node.plan.pool.health.hung !== undefined) this.isHung({ node, notes, signs, verdict, nowMs: clock.nowMs() })
  }

  private notesOf(node: Node): NodeNotes {
    let notes = this.notes.get(node.id)
    if (notes?.life !== node.incarnation) this.notes.set(node.id, (notes = new NodeNotes(node.incarnation)))
    return notes
  }

  private countsOfNode(id: string): WatchdogCounts {
    let counts = this.counts.get(id)
    if (counts === undefined) {
      counts = { hung: 0, revived: 0, canaries: { answered: 0, refused: 0, silent: 0, failed: 0 } }
      this.counts.set(id, counts)
    }
    return counts
  }
}

/** Nodes that may have work. */
function isWatched({ state }: Node): boolean {
  return state === 'ready' || state === 'suspect' || state === 'warming' || state === 'draining'
}

function mayBeAsked({ plan, state }: Node): boolean {
  const { nodes } = plan.pool.health.canary
  if (state !== 'ready' && state !== 'suspect') return false
  return nodes === 'all' || (nodes === 'launched' && plan.group.launch !== undefined)
}

/** Replicas that were launched alike; anything else is like itself only. */
function kinOf({ id, plan }: Node): string {
  return plan.group.launch === undefined ? id : `${plan.pool.name}/${plan.group.name}`
}

const FRESH_LOAD_MS = 10_000

/** Its counters, where they are fresh, tell of no work but ours. */
function isAlone({ load }: Node, inFlight: number, nowMs: number): boolean {
  const { running, waiting = 0 } = load?.facts ?? {}
  return load !== null && running !== undefined && nowMs - load.atMs < FRESH_LOAD_MS && running + waiting <= inFlight
}

function silentVerdict({ canariesSilent }: NodeNotes, { plan }: Node): Exclude<HungVerdict, { kind: 'well' }> {
  const { withinMs } = plan.pool.health.canary
  const because = "a request of lb's own for one token is answered at once"
  const why = `no answer to ${canariesSilent} requests of lb's own, each for one token and ${withinMs / 1_000} s`
  return { kind: 'hung', silentMs: canariesSilent * withinMs, allowed: { ms: withinMs, explainedMs: 0, because }, why }
}
