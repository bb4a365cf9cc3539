import type { RequestRecord, ShadowPair } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { PoolChange } from '../topology/index.js'
import { isDiskError } from './disk-errors.js'
import { Fetching } from './fetching.js'
import { Hand } from './hand.js'
import { Hold } from './hold.js'
import { Logbook } from './logbook.js'
import { Lookout } from './lookout.js'
import type { RunningJudge } from './running-judge.js'
import { endState, isLastWatched, nodesOf, stateAt, statusOf, withStage, type RolloutRecord } from './rollout-record.js'
import { isOver, type JudgeReport, type RolloutStatus } from './rollout-status.js'
import type { Stage } from './stages.js'
import { Turns } from './turns.js'
import { runFault } from './run-fault.js'
import type { RunParts } from './run-parts.js'
import { checkAllowed, type RunVerb } from './verbs.js'
import { Watch } from './watch.js'
import { stageInWords } from './words.js'

/**
 * One rollout on its way. It looks at the world whenever something may have changed there, does the one thing that is to be done next, and writes down what it
 * does before it does it.
 */
export class Run {
  private readonly turns: Turns
  private readonly watch: Watch
  private readonly hold: Hold
  private readonly fetching: Fetching
  private readonly lookout: Lookout
  private readonly book: Logbook
  private readonly hand: Hand

  constructor(
    record: RolloutRecord,
    private readonly parts: RunParts,
    /** What an earlier balancer had made of the pool. */
    applied: PoolChange = record.first,
  ) {
    this.turns = new Turns({
      clock: parts.world.clock,
      step: () => this.step(),
      failed: (error) => this.failedInside(error),
      isOver: () => this.isOver,
    })
    const hooks = { onNews: () => this.wake(), freshNodes: () => nodesOf(this.record, 'fresh') }
    this.watch = new Watch(record.judged, () => parts.judgeFor(this.record, hooks))
    this.hold = new Hold(parts.world.clock)
    this.hand = new Hand(record.pool, parts.world, applied)
    this.lookout = new Lookout(parts.world)
    this.fetching = new Fetching({
      fetch: (options) => parts.fetch(this.record, options),
      onProgress: (what) => this.fetches(what),
      onEnd: () => this.wake(),
    })
    this.book = new Logbook(record, { world: parts.world, save: parts.save, changed: () => parts.changed(this.status()) })
  }

  get pool(): string {
    return this.record.pool
  }

  get isOver(): boolean {
    return isOver(this.record)
  }

  status(): RolloutStatus {
    return statusOf(this.record, {
      judge: this.judge?.report() ?? null,
      stepEndsAtMs: this.record.phase === 'holding' ? this.hold.endsAtMs(this.stage) : null,
    })
  }

  report(): JudgeReport | null {
    return this.judge?.report() ?? this.record.judge
  }

  /** The world may have changed. */
  wake(): void {
    this.turns.wake()
  }

  /** A request has ended; `goesOn`: it waits for the old revision, as the new one has failed it. */
  settled(record: RequestRecord, goesOn = false): void {
    if (this.judge?.add(record, goesOn) === true) this.wake()
  }

  shadowed(pair: ShadowPair): void {
    if (this.judge?.pair(pair) === true) this.wake()
  }

  /** Leaves it as it is for the next balancer. */
  stop(): void {
    this.turns.stop()
    this.watch.leave()
    this.fetching.stop()
  }

  /** Throws LB_ROLLOUT_REFUSED (409), or what the disk throws. */
  act(verb: RunVerb): void {
    const { phase } = this.record
    checkAllowed(verb, this.record)
    this.lookout.moved()
    if (verb === 'abort') this.goBack('aborted', 'somebody took it back')
    if (verb === 'promote')
      this.book.note('promoted by hand: what is left is not watched', { isPromoted: true, phase: 'stepping', reason: null })
    if (verb === 'pause') this.book.note('paused by hand', { phase: 'paused', reason: 'paused by hand' })
    if (verb === 'resume') {
      if (phase === 'asking') this.forgetJudge()
      this.hold.clear()
      this.book.note('resumed by hand', { phase: 'stepping', reason: null })
    }
    this.wake()
  }

  /** A fault of ours must not leave clients with a revision that nobody watches. A disk that refuses is waited for, for it is still watched. */
  private failedInside(error: unknown): void {
    const { log } = this.parts.world
    log.error('rollout.step_failed', { pool: this.pool, error: messageOf(error) })
    if (this.record.back !== null || this.isOver) return
    if (isDiskError(error)) this.book.show({ reason: `it waits for the disk: ${messageOf(error)}` })
    else this.goBack('rolled-back', `it could not be gone on with: ${messageOf(error)}`)
  }

  private async step(): Promise<void> {
    if (!this.hand.isHolding) return this.letGo()
    if (this.record.back !== null) return this.onTheWayBack()
    if (this.record.phase === 'preparing') return this.prepare()
    // Also while a person has paused it, and from the first look of another balancer on.
    if (this.stage?.isJudged === true && this.record.phase !== 'asking') this.watch.begin()
    const fault = runFault(this.record, this.lookout, () => this.judge?.report())
    if (fault !== undefined) return this.failed(fault)
    if (this.record.phase === 'stepping' || this.record.phase === 'holding') await this.onTheWay()
  }

  /** Somebody else has changed the pool. Requests that are parted still, for nobody who looks, are brought together. */
  private letGo(): void {
    if (!this.hand.regains()) return this.end('aborted', 'the pool was declared otherwise meanwhile: it runs as declared')
    if (this.record.back === null) this.goBack('rolled-back', 'somebody else changed the pool meanwhile')
    else this.wake()
  }

  private prepare(): void {
    const found = this.fetching.look()
    if (found === 'there') {
      this.book.note('its weights are there', { phase: 'stepping', reason: null })
      this.wake()
    } else if (found !== 'coming') this.goBack('rolled-back', found.failed)
    else if (this.lookout.isStill(this.record))
      this.goBack('rolled-back', `nothing moves any more: ${this.record.reason ?? 'the weights do not come'}`)
  }

  private fetches(what: string): void {
    if (this.record.phase !== 'preparing' || what === this.record.reason) return
    this.lookout.moved()
    this.book.show({ reason: what })
  }

  private async onTheWay(): Promise<void> {
    const { stage } = this
    if (stage === undefined) return this.enter(0)
    const hasMore = stage.come > (this.record.stages[this.record.at - 1]?.come ?? 0)
    if (await this.apply(stateAt(this.record, this.record.at))) return hasMore ? undefined : this.judge?.step()
    if (!this.lookout.isSettled(this.record)) return this.moveTo('stepping')
    if (this.record.isPromoted || stage.holdMs === undefined) return this.next()
    if (this.record.phase !== 'holding' || !this.hold.isRunning) {
      this.hold.begin()
      this.judge?.step()
    }
    this.moveTo('holding')
    if (stage.come > 0) this.judge?.ready()
    if (stage.isLasting !== true && this.hold.tookMs >= stage.holdMs) await this.held()
  }

  /** A stage was watched for long enough. */
  private async held(): Promise<void> {
    if (this.judge?.isAsking === true) return
    if (
      isLastWatched(this.record) &&
      this.judge?.report().verdict === 'undecided' &&
      !this.watch.hasSeenEnough(this.record, this.lookout)
    ) {
      // What is not decided at the end is watched for as long again.
      if (this.hold.tookMs < 2 * (this.stage?.holdMs ?? 0)) return
      const { verdict, reason } = this.judge.finalVerdict()
      if (verdict === 'bad') return this.failed(reason ?? 'the judge says no')
    }
    await this.next()
  }

  private async next(): Promise<void> {
    const at = this.record.at + 1
    if (at < this.record.stages.length) return this.enter(at)
    await this.apply(endState(this.record))
    // Somebody may have taken it back meanwhile.
    if (this.record.back !== null) return
    this.end('promoted', `${this.record.to.revision} has all of the traffic`)
  }

  private enter(at: number): void {
    this.hold.clear()
    this.book.note(stageInWords(this.record, at), { at, phase: 'stepping', reason: null, judged: this.watch.judged })
    this.wake()
  }

  private async apply(change: PoolChange, evenUnwritten = false): Promise<boolean> {
    if (!(await this.hand.make(change, { evenUnwritten }))) return false
    this.lookout.moved()
    this.wake()
    return true
  }

  private async failed(reason: string): Promise<void> {
    const { stage } = this
    if (this.record.plan.rollback === 'auto') return this.goBack('rolled-back', reason)
    this.book.insist(`${reason}; it waits for somebody: promote, resume or abort`, { phase: 'asking', reason, judge: this.report() })
    // Where the old revision can bear all, nobody has to bear the new one meanwhile.
    if (stage !== undefined && stage.gone === 0) await this.apply(withStage(this.record, { ...stage, share: 0, shadowShare: 0 }), true)
  }

  /** The old revision takes everything again; the new one has no traffic from here on. */
  private goBack(outcome: 'rolled-back' | 'aborted', reason: string): void {
    this.fetching.stop()
    const step = this.record.kind === 'in-place' && this.stage !== undefined ? 'clearing' : 'restoring'
    const message =
      this.stage === undefined ? `${reason}; nothing was changed` : `${this.record.from.revision} takes everything again: ${reason}`
    this.book.insist(message, { phase: 'rolling-back', reason, judge: this.report(), back: { outcome, step } })
    this.wake()
  }

  private async onTheWayBack(): Promise<void> {
    const { back, first } = this.record
    const { stage } = this
    if (back === null) return
    const isClearing = back.step === 'clearing' && stage !== undefined
    if (await this.apply(isClearing ? withStage(this.record, { ...stage, come: 0, share: 0 }) : first, true)) return
    if (!isClearing) return this.restored(back.outcome)
    if (this.lookout.leaving(this.record).length > 0) return
    this.book.insist('the new nodes have ended', { back: { ...back, step: 'restoring' } })
    this.wake()
  }

  private async restored(outcome: 'rolled-back' | 'aborted'): Promise<void> {
    const { reason, from } = this.record
    const { ids, isHopeless } = this.lookout.missing(this.record)
    if (this.stage === undefined) return this.end(outcome, reason ?? '')
    if (ids.length === 0) {
      for (const message of await this.parts.evidence(this.record)) this.book.insist(message, {})
      return this.end(outcome, reason ?? '')
    }
    if (isHopeless || this.lookout.isStill(this.record))
      this.end('failed', `${reason ?? ''}; and ${from.revision} did not come back: ${ids.join(', ')}`)
  }

  private end(phase: 'promoted' | 'rolled-back' | 'aborted' | 'failed', reason: string): void {
    const change = { phase, reason, judge: this.report(), endedAtMs: this.parts.world.clock.epochMs() }
    if (phase === 'promoted') this.book.note(`${phase}: ${reason}`, change)
    else this.book.insist(`${phase}: ${reason}`, change)
    this.forgetJudge()
    this.parts.over(this.record)
  }

  private forgetJudge(): void {
    this.watch.forget()
    this.parts.forgetEvidence(this.record)
  }

  private moveTo(phase: 'stepping' | 'holding'): void {
    if (this.record.phase !== phase) this.book.keep({ phase })
  }

  private get judge(): RunningJudge | undefined {
    return this.watch.judge
  }

  private get record(): RolloutRecord {
    return this.book.record
  }

  private get stage(): Stage | undefined {
    return this.record.stages[this.record.at]
  }
}
