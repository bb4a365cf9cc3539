import type { Clock } from '../base/index.js'
import type { LoadingStep, NodeState, ProbeReport, WarmUpCount } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import { abilitiesOf } from './abilities.js'
import { cleanLoad } from './clean-load.js'
import type { HowEnded } from './how-ended.js'
import { loadFromLog } from './load-from-log.js'
import type { NodeEndpoint, NodeLoad } from './node-endpoint.js'
import type { NodePlan } from './node-plan.js'
import type { RestWay } from './rest-way.js'
import { RoundTrip } from './round-trip.js'
import { Standing, type Ejection, type Return } from './standing.js'
import { transitions, type NodeEvent } from './transitions.js'
import { warmUpWords, type WarmUp } from './warm-up.js'

export interface NodeChange {
  readonly node: Node
  readonly from: NodeState
  readonly to: NodeState
  readonly reason: string | null
}

/** A process of a node has ended. */
export interface LifeEnded {
  readonly node: string
  /** Names the life that ended. */
  readonly connectionKey: string
  readonly how: HowEnded
}

/** One node: its state and facts. The only writer of its state; everybody else asks it to `move`. */
export class Node {
  private current: NodeState = 'declared'
  private why: string | null = null
  private changedAtMs: number
  private at: NodeEndpoint | undefined
  /** Nobody starts it again by itself. */
  isGivenUp = false
  /** Counts lives of the endpoint, so that pooled sockets of a dead one are not reused. */
  incarnation = 0
  /** Whether this life of the endpoint has been ready. */
  wasReady = false
  restarts = 0
  version: string | null = null
  models: readonly string[] = []
  progress: number | null = null
  /** The last answer to the question for its load; it stays when later ones fail, and grows old. */
  load: NodeLoad | null = null
  /** What the check before its launch warned of. */
  warnings: readonly string[] = []
  /** The last lines of the log of an engine that ended; empty once one is ready again. */
  lastLines: readonly string[] = []
  /** How far away it is. */
  roundTrip = new RoundTrip()
  /** What it is trusted with, whatever its probes say. */
  standing = new Standing()
  /** How its last process ended; undefined: unknown, or none has. */
  lastEnd: 'crash' | 'killed' | undefined
  /** While it is asleep: how it gave its memory back. */
  restsBy: RestWay | undefined
  /** While it is asleep: it could not be woken, and nobody tries again before a while. */
  isHeldBack = false
  /** Its engine is being woken: whoever does that says when it is ready, for a sleeping server may answer all the same. */
  isBeingWoken = false
  /** What comes before the first request of each life; absent: nothing. */
  warmUp: Pick<WarmUp, 'begin' | 'stop'> | undefined
  /** Prompts that it was sent to warm it, since it joined. */
  warmUps = { computed: 0, failed: 0, unfinished: 0 }
  private isWarmingUp = false
  /** Lives whose end was told. */
  private endedLives = 0
  private step: LoadingStep | undefined
  /** Its abilities as they were told last. */
  private told = '{}'

  constructor(
    /** Row in the shared counters. */
    readonly index: number,
    public plan: NodePlan,
    private readonly clock: Clock,
    private readonly onChange: (change: NodeChange) => void,
    /** It turned out to be able to do something else. */
    private readonly onAbilities: () => void = () => undefined,
    private readonly onLifeEnded: (end: LifeEnded) => void = () => undefined,
  ) {
    this.changedAtMs = clock.epochMs()
  }

  get id(): string {
    return this.plan.id
  }

  get state(): NodeState {
    return this.current
  }

  get reason(): string | null {
    return this.why
  }

  get sinceMs(): number {
    return this.changedAtMs
  }

  /** Names this life of its endpoint. */
  get connectionKey(): string {
    return `${this.id}#${this.incarnation}`
  }

  get endpoint(): NodeEndpoint | undefined {
    return this.at
  }

  /** A new life behind the same name. */
  setEndpoint(endpoint: NodeEndpoint): void {
    this.incarnation += 1
    this.isGivenUp = false
    this.wasReady = false
    this.at = endpoint
    this.progress = null
    this.load = null
    this.models = []
    this.roundTrip = new RoundTrip()
    this.standing = new Standing()
    this.step = undefined
  }

  /**
   * Takes it out: no new requests before `readmit`, whatever its probes say. False where there is nothing to take out: it is not up. One that drains goes on
   * draining; only what hangs there is given up.
   */
  eject(ejection: Ejection): boolean {
    const { current } = this
    if (current !== 'ready' && current !== 'warming' && current !== 'suspect' && current !== 'draining') return false
    this.standing.eject(ejection)
    if (current === 'draining') this.onAbilities()
    else this.become('suspect', ejection.reason)
    return true
  }

  /** Its time out is over: its probes have the last word again. Without effect where it is not out. */
  readmit(back: Return = {}): void {
    if (this.standing.ejection === undefined) return
    const doubt = this.standing.readmit(back)
    if (this.current !== 'suspect') return this.onAbilities()
    if (doubt === undefined) this.become('ready', back.note ?? null)
    else this.become('suspect', doubt)
  }

  /** What it is trusted with while it comes back; nothing: all of its traffic. */
  admit(back: Return): void {
    this.standing.admit(back)
    const note = back.note ?? null
    if (this.current === 'ready' && note !== this.why) this.become('ready', note)
    else this.onAbilities()
  }

  /** Its process has ended; the first word on a life counts. */
  lifeEnded(how: HowEnded): void {
    if (this.endedLives === this.incarnation) return
    this.endedLives = this.incarnation
    this.lastEnd = how === 'unknown' ? undefined : how
    this.onLifeEnded({ node: this.id, connectionKey: this.connectionKey, how })
  }

  /** What its log says about its loading. */
  showStep(step: LoadingStep): void {
    this.step = step
    this.progress = step.progress ?? this.progress
    if (this.current === 'starting' || this.current === 'loading') this.move('loading', step.step)
  }

  /** What it does while it loads, where its log says so: worth more than what a probe saw. */
  get loadingStep(): string | undefined {
    return this.step?.step
  }

  learnLoad(told: unknown): void {
    this.load = { facts: { ...cleanLoad(told), ...cleanLoad(loadFromLog(this.at)) }, atMs: this.clock.nowMs() }
    this.tellAbilities()
  }

  /** How long a probe took that was answered. */
  learnRoundTrip(tookMs: number): void {
    this.roundTrip.learn(tookMs, this.clock.nowMs())
    this.tellAbilities()
  }

  private tellAbilities(): void {
    const now = JSON.stringify(abilitiesOf(this))
    if (now === this.told) return
    this.told = now
    this.onAbilities()
  }

  /** So many of the prompts that it computes before it takes requests are done. */
  showWarmUp(done: number, total: number): void {
    if (!this.isWarmingUp) return
    this.progress = done / total
    this.why = warmUpWords(done, total)
    this.onAbilities()
  }

  countWarmUp({ computed, failed, total }: WarmUpCount): void {
    this.warmUps.computed += computed
    this.warmUps.failed += failed
    this.warmUps.unfinished += total - computed - failed
  }

  /** It has computed what is asked most. Without effect where something else became of it meanwhile. */
  warmed(): void {
    if (this.isWarmingUp) this.become('ready', null)
  }

  /** Throws LB_BUG for a move that the table does not list. Announces a change of state or of its reason. */
  move(event: NodeEvent, reason: string | null = null): void {
    const from = this.current
    const to = transitions[from][event]
    if (to === undefined) throw new LbError(`node ${this.id}: no move \`${event}\` from state ${from}`, { code: 'LB_BUG', source: 'lb' })
    if (this.isWarmingUp && (event === 'good' || event === 'steady')) return
    const { ejection } = this.standing
    if (event === 'steady') {
      const isNew = !this.wasReady && ejection === undefined && transitions[from].warm !== undefined
      this.wasReady = true
      this.lastLines = []
      const prompts = isNew ? this.warmUp?.begin() : undefined
      if (prompts !== undefined) return this.beginWarmUp(prompts)
    }
    if (ejection !== undefined && from === 'suspect' && (event === 'good' || event === 'steady' || event === 'bad'))
      return this.standing.heard(event, reason)
    if (ejection !== undefined && to !== 'draining') this.standing.readmit({})
    const said = to === from && reason === null ? this.why : to === 'ready' ? null : reason
    if (to !== from || said !== this.why) this.become(to, said)
  }

  private beginWarmUp(prompts: number): void {
    this.isWarmingUp = true
    this.progress = 0
    this.become(transitions[this.current].warm ?? 'warming', warmUpWords(0, prompts))
  }

  private become(to: NodeState, reason: string | null): void {
    const from = this.current
    if (this.isWarmingUp && to !== 'warming') {
      this.isWarmingUp = false
      this.progress = null
      this.warmUp?.stop(to)
    }
    this.why = reason
    if (to !== from) this.changedAtMs = this.clock.epochMs()
    this.current = to
    this.onChange({ node: this, from, to, reason })
  }

  /** Keeps what a probe told besides its verdict. */
  learn(report: ProbeReport): void {
    if (report.verdict === 'ready') {
      this.models = report.models ?? this.models
      this.version = report.version ?? this.version
      this.tellAbilities()
    }
    if (report.verdict === 'loading') this.progress = report.progress ?? this.step?.progress ?? null
    else if ((report.verdict === 'ready' || this.wasReady) && !this.isWarmingUp) this.progress = null
  }
}
