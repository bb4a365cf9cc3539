import type { Clock, RandomSource, TimerHandle } from '../base/index.js'
import type { Backend, NodeState, ProbeReport } from '../contracts/index.js'
import { isOwnLack, messageOf } from '../errors/index.js'
import { LoadQuestion } from './load-question.js'
import { probeFailure } from './probe-failure.js'
import { ProbeJudge, type ProbeVerdict } from './probe-judge.js'

/** A node as the probe loop sees it. */
export interface ProbedNode {
  readonly id: string
  readonly state: NodeState
  /** Undefined while nothing runs. */
  readonly endpoint: { readonly backend: Backend } | undefined
  readonly plan: { readonly pool: { readonly health: ProbeSettings } }
}

export interface ProbeSettings {
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly fall: number
  readonly rise: number
}

export interface ProbeLoopOptions {
  readonly clock: Clock
  readonly random: RandomSource
  readonly nodes: () => Iterable<ProbedNode>
  /** Every probe, whatever the verdict. */
  readonly onReport?: (nodeId: string, report: ProbeReport, tookMs: number) => void
  readonly onVerdict: (nodeId: string, verdict: Exclude<ProbeVerdict, 'undecided'>, report: ProbeReport) => void
  /** A node could not be asked, for want of something of ours. */
  readonly onUnasked?: (why: string) => void
  /** What an engine told of its load, unchecked. Absent: none is asked. */
  readonly onLoad?: (nodeId: string, facts: unknown) => void
  readonly onLoadFailed?: (nodeId: string, why: string) => void
}

interface Watch {
  node: ProbedNode
  backend: Backend | undefined
  judge: ProbeJudge
  startedAtMs: number
  timer: TimerHandle | undefined
  abort: AbortController | undefined
  load: LoadQuestion | undefined
}

/** A starting node is asked this often at first, then ever less, up to its normal interval. */
const FRESH_INTERVAL_MS = 50

/** Asks every node how it is: jittered, never two probes of one node at once, sooner after a failure, never more often than the engine bears. */
export class ProbeLoop {
  private readonly watches = new Map<string, Watch>()
  private stopped = false

  constructor(private readonly options: ProbeLoopOptions) {}

  /** Starts probing nodes that joined and lets go of those that left; call it after each change of membership or endpoint. */
  sync(): void {
    if (this.stopped) return
    const present = new Set<string>()
    for (const node of this.options.nodes()) {
      present.add(node.id)
      const watch = this.watches.get(node.id)
      if (watch === undefined || watch.node !== node) this.begin(node)
      else if (watch.backend !== node.endpoint?.backend) this.renew(watch)
    }
    for (const [id, watch] of this.watches) if (!present.has(id)) this.letGo(id, watch)
  }

  stop(): void {
    this.stopped = true
    for (const [id, watch] of this.watches) this.letGo(id, watch)
  }

  private begin(node: ProbedNode): void {
    const before = this.watches.get(node.id)
    if (before !== undefined) this.letGo(node.id, before)
    const watch: Watch = {
      node,
      backend: undefined,
      judge: new ProbeJudge(),
      startedAtMs: 0,
      timer: undefined,
      abort: undefined,
      load: undefined,
    }
    this.watches.set(node.id, watch)
    this.renew(watch)
  }

  /** A new endpoint is a new life: nothing that the old one did counts. */
  private renew(watch: Watch): void {
    watch.abort?.abort()
    watch.timer?.cancel()
    watch.load?.stop()
    watch.backend = watch.node.endpoint?.backend
    watch.judge = new ProbeJudge()
    watch.startedAtMs = this.options.clock.nowMs()
    watch.load = watch.backend === undefined ? undefined : this.loadQuestion(watch.node.id, watch.backend)
    if (watch.backend !== undefined) this.schedule(watch, 0)
  }

  private loadQuestion(nodeId: string, backend: Backend): LoadQuestion | undefined {
    const { clock, onLoad, onLoadFailed } = this.options
    if (onLoad === undefined) return undefined
    return new LoadQuestion({
      clock,
      backend,
      onLoad: (facts) => onLoad(nodeId, facts),
      onFailed: (why) => onLoadFailed?.(nodeId, why),
    })
  }

  private letGo(id: string, watch: Watch): void {
    watch.timer?.cancel()
    watch.abort?.abort()
    watch.load?.stop()
    this.watches.delete(id)
  }

  private schedule(watch: Watch, waitMs: number): void {
    watch.timer = this.options.clock.after(waitMs, () => void this.probe(watch))
  }

  private async probe(watch: Watch): Promise<void> {
    const { backend, node } = watch
    if (backend === undefined) return
    // Its old address may be somebody else's by now; a new life brings a new backend, and that begins anew. One that sleeps might be woken by a question.
    if (node.state === 'stopped' || node.state === 'asleep') return this.schedule(watch, node.plan.pool.health.intervalMs)
    const abort = new AbortController()
    watch.abort = abort
    const askedAtMs = this.options.clock.nowMs()
    const report = await this.ask(backend, node.plan.pool.health.timeoutMs, abort)
    // Aborted: the node left, or a new life began; this answer is about the past.
    if (watch.abort !== abort || watch.backend !== backend || this.stopped || this.watches.get(node.id) !== watch) return
    watch.abort = undefined
    if (report !== undefined) this.take(watch, report, this.options.clock.nowMs() - askedAtMs)
    if (watch.backend === backend && this.watches.get(node.id) === watch) this.schedule(watch, this.waitMs(watch, backend))
  }

  private take({ node, judge, load }: Watch, report: ProbeReport, tookMs: number): void {
    const { health } = node.plan.pool
    this.options.onReport?.(node.id, report, tookMs)
    if (report.verdict === 'ready') load?.ask(health.timeoutMs)
    const verdict = judge.judge(report, node.state, health)
    if (verdict !== 'undecided') this.options.onVerdict(node.id, verdict, report)
  }

  /** Undefined: it could not be asked, and that says nothing of it. */
  private async ask(backend: Backend, timeoutMs: number, abort: AbortController): Promise<ProbeReport | undefined> {
    let late: TimerHandle | undefined
    const timeout = new Promise<ProbeReport>((resolve) => {
      late = this.options.clock.after(timeoutMs, () => {
        resolve({ verdict: 'sick', reason: `no answer to a probe within ${timeoutMs} ms` })
        abort.abort()
      })
    })
    try {
      return await Promise.race([backend.probe(abort.signal), timeout])
    } catch (error) {
      if (!isOwnLack(error)) return { verdict: 'sick', reason: probeFailure(error) }
      this.options.onUnasked?.(messageOf(error))
      return undefined
    } finally {
      late?.cancel()
    }
  }

  private waitMs(watch: Watch, backend: Backend): number {
    const { intervalMs } = watch.node.plan.pool.health
    const { state } = watch.node
    const ageMs = this.options.clock.nowMs() - watch.startedAtMs
    const fresh = state === 'starting' || state === 'loading'
    const wishMs = fresh
      ? Math.min(intervalMs, Math.max(FRESH_INTERVAL_MS, ageMs / 10))
      : watch.judge.doubting
        ? intervalMs / 4
        : intervalMs
    return Math.max(backend.minProbeIntervalMs, wishMs * (0.8 + 0.4 * this.options.random.next()))
  }
}
