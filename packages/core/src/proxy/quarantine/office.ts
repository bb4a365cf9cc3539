import type { Clock, TimerHandle } from '../../base/index.js'
import type { Logger } from '../../contracts/index.js'
import { Court, type Quarantined } from './court.js'
import { isOverdue } from './death-book.js'
import { Escorts, type Asking } from './escorts.js'
import { timeAt, type Inquest, type LifeEnd } from './inquests.js'
import { HEARING_MS, openEnds, withEnds } from './open-ends.js'
import { RollCalls } from './roll-calls.js'
import type { DeskWord, OfficeWord, Sentence } from './words.js'

/** So long it is waited for all that were at a node of ours, while it is not known whether it crashed: those that ask first need not be the likeliest. */
const GATHER_MS = 100
/** The same of one that ended; a client that reads slowly may keep a request there for ever. */
const DRAINED_MS = 400
/** A suspect has a node for itself so long, or until its first content. */
const ESCORT_MS = 100
/** With content it is left alone a little longer, so that those at one node have not come together. */
const APART_MS = 50
/** Both are longer where paths hear of one end at moments that are far apart: so much less is known how long a node had a body. */
const MOST_UNSURE_MS = 150
/** The same where two nodes have ended already. */
const TRIAL_MS = 2_000
/** Nobody is led to a node where a connection broke so short a time ago: it may be gone. */
const SHAKEN_MS = 250
/** Longest wait for an escort: of a copy that has lost no node itself, after a crash, after two. */
const LONGEST = { copy: 250, suspect: 2_000, inDoubt: 5_000 } as const
const TICK_MS = 10
/** Many words come at once; those who wait are looked at together. */
const STIR_MS = 2
const MAKES_ROOM: ReadonlySet<DeskWord['type']> = new Set(['done', 'further', 'answered'])

export interface OfficeOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly tell: (desk: number, word: OfficeWord) => void
  readonly tellAll: (word: OfficeWord) => void
  /** Who is to be heard before a verdict. */
  readonly desks: () => readonly number[]
  /** Whether lb launched it, and hears of its end at once. */
  readonly isOurs: (node: string) => boolean
  /** Requests that all data paths together have at this life of a node. */
  readonly inFlightAt: (node: string, life: string) => number
  readonly onSentence: (sentence: Sentence) => void
}

/** One for all data paths: hears from their desks who was at nodes that went away, and leads suspects to nodes one by one, so that a second crash has one suspect. */
export class QuarantineOffice {
  private readonly court: Court
  private readonly rollCalls: RollCalls
  private readonly escorts = new Escorts()
  private asking: Asking[] = []
  private turning: { readonly timer: TimerHandle; readonly atMs: number } | undefined

  constructor(private readonly options: OfficeOptions) {
    const { clock, log, desks, inFlightAt, tellAll, onSentence } = options
    this.rollCalls = new RollCalls({ clock, desks, inFlightAt, call: (call) => tellAll({ type: 'roll-call', call }) })
    this.court = new Court({
      clock,
      log,
      onKnown: (bodies) => tellAll({ type: 'known', bodies }),
      onSentence,
      hearAll: ({ node, life }, then) => this.rollCalls.begin({ node, life, drainedMs: DRAINED_MS, onHeard: then }),
      onVerdict: () => this.turn(),
    })
  }

  hear(desk: number, word: DeskWord): void {
    const { court } = this
    if (word.type === 'broke') this.gather(court.broke(word.life, word.node, word))
    else if (word.type === 'ask') this.ask(desk, word)
    else if (word.type === 'done') this.done(desk, word.ticket)
    else if (word.type === 'further') court.further(word.fingerprint, word.progress)
    else if (word.type === 'answered') court.acquit(word.fingerprint)
    else if (word.type === 'here') this.rollCalls.heard(desk, word.call)
    else court.refused(word.fingerprint)
    if (MAKES_ROOM.has(word.type)) this.turnIn(STIR_MS)
  }

  /** A process ended, or nothing answers any more where a server was. */
  ended(life: string, node: string, how: LifeEnd): void {
    this.court.ended(life, node, how)
  }

  /** Whether something broke there and nobody knows how it ended. */
  isOpen(life: string): boolean {
    const inquest = this.court.inquestOf(life)
    return inquest !== undefined && inquest.how === undefined
  }

  deskGone(desk: number): void {
    this.escorts.deskGone(desk)
    this.rollCalls.deskGone(desk)
    this.asking = this.asking.filter((each) => each.desk !== desk)
    this.turnIn(STIR_MS)
  }

  /** What a new desk must know. */
  snapshot(): OfficeWord {
    return { type: 'known', bodies: this.court.known() }
  }

  list(): readonly Quarantined[] {
    return this.court.list()
  }

  /** Bodies that were at a node that crashed, and have not been answered since. */
  get suspects(): number {
    return this.court.known().filter(({ is }) => is === 'suspect').length
  }

  /** False where it is not in quarantine. What it did is forgotten. */
  lift(fingerprint: string): boolean {
    if (this.court.caseOf(fingerprint).sentence === undefined) return false
    this.court.acquit(fingerprint)
    this.options.log.info('quarantine.lifted', { fingerprint })
    this.turnIn(STIR_MS)
    return true
  }

  /** The first connection to a node broke: all that were there are to be known before the first of them is led elsewhere. */
  private gather(inquest: Inquest): void {
    if (inquest.isGathering !== undefined || inquest.how !== undefined || !this.isOurs(inquest)) return
    inquest.isGathering = true
    const onHeard = (): void => {
      inquest.isGathering = false
      inquest.isEmpty = this.options.inFlightAt(inquest.node, inquest.life) === 0
      this.turnIn(STIR_MS)
    }
    this.rollCalls.begin({ node: inquest.node, life: inquest.life, drainedMs: GATHER_MS, onHeard })
  }

  private isOurs(inquest: Inquest): boolean {
    return (inquest.isOurs ??= this.options.isOurs(inquest.node))
  }

  private ask(desk: number, word: Extract<DeskWord, { type: 'ask' }>): void {
    const asking = { word, desk, sinceMs: this.options.clock.nowMs() }
    const isFirst = this.asking.length === 0
    // Whoever waits already may be likelier.
    if (isFirst && this.answer(asking)) return
    this.asking.push(asking)
    this.turnIn(isFirst ? TICK_MS : STIR_MS)
  }

  /** What ended a node had mostly just come. */
  private atNodeMs({ word }: Asking): number {
    const last = this.court.inquestOf(word.lives.at(-1) ?? '')
    const present = last?.present.get(word.suspect.fingerprint)
    return last === undefined || present === undefined ? Infinity : timeAt(last, present)
  }

  private unsureMs({ word }: Asking): number {
    const last = this.court.inquestOf(word.lives.at(-1) ?? '')
    return last === undefined ? 0 : Math.min(MOST_UNSURE_MS, Math.max(0, last.lastHeardMs - last.goneAtMs))
  }

  private done(desk: number, ticket: number): void {
    this.escorts.done(desk, ticket)
    this.asking = this.asking.filter((each) => each.desk !== desk || each.word.ticket !== ticket)
  }

  /** Lets go whoever may go now. */
  private turn(): void {
    if (this.asking.length === 0) return
    this.escorts.expire(this.options.clock.nowMs())
    const asking = this.asking.map((each) => ({ each, atNodeMs: this.atNodeMs(each) })).toSorted((a, b) => a.atNodeMs - b.atNodeMs)
    this.asking = []
    const waiting = asking.filter(({ each }) => !this.answer(each)).map(({ each }) => each)
    this.asking = [...waiting, ...this.asking]
    if (this.asking.length > 0) this.turnIn(TICK_MS)
  }

  /** So soon, or sooner. */
  private turnIn(ms: number): void {
    const atMs = this.options.clock.nowMs() + ms
    if (this.asking.length === 0 || (this.turning !== undefined && this.turning.atMs <= atMs)) return
    this.turning?.timer.cancel()
    const timer = this.options.clock.after(ms, () => {
      this.turning = undefined
      this.turn()
    })
    this.turning = { timer, atMs }
  }

  /** False: it has to wait. */
  private answer(asking: Asking): boolean {
    const { word, desk } = asking
    const { fingerprint } = word.suspect
    if (this.options.clock.nowMs() - asking.sinceMs >= LONGEST.inDoubt) this.court.convictLikeliest(fingerprint)
    const { sentence } = this.court.caseOf(fingerprint)
    const where = sentence === undefined ? this.placeFor(asking) : 'anywhere'
    if (where === 'wait') return false
    if (sentence !== undefined) this.options.tell(desk, { type: 'refuse', ticket: word.ticket, sentence })
    else this.options.tell(desk, { type: 'go', ticket: word.ticket, ...(where === 'anywhere' ? {} : where) })
    return true
  }

  private placeFor(asking: Asking): 'wait' | 'anywhere' | { readonly node: string } {
    const { suspect, lives, candidates } = asking.word
    const { burden, isInDoubt, isLast, open } = this.court.caseOf(suspect.fingerprint)
    const nowMs = this.options.clock.nowMs()
    const waitedMs = nowMs - asking.sinceMs
    const ends = openEnds(open, (inquest) => this.isOurs(inquest), nowMs)
    // It may be overdue: another node only when that is known.
    if (ends.open > 0 && isOverdue(withEnds(burden, ends))) return waitedMs < ends.longestMs ? 'wait' : 'anywhere'
    const isSuspect = burden.crashes > 0 || burden.ends > 1
    if (!isSuspect && ends.dying === 0) return 'anywhere'
    const longestMs = isInDoubt ? LONGEST.inDoubt : lives.length === 0 ? LONGEST.copy : LONGEST.suspect
    if (isLast) return 'wait'
    if (waitedMs >= longestMs || candidates.length === 0) return 'anywhere'
    if ((ends.unheard > 0 && waitedMs < HEARING_MS) || ends.gathering > 0) return 'wait'
    const stand = candidates.filter((node) => !this.court.wentAway(node, Math.min(asking.sinceMs, nowMs - SHAKEN_MS)))
    if (stand.length === 0) return waitedMs < SHAKEN_MS ? 'wait' : 'anywhere'
    const unsureMs = this.unsureMs(asking)
    const forMs = isInDoubt ? TRIAL_MS : ESCORT_MS + unsureMs
    const node = this.escorts.lead(asking, stand, { nowMs, forMs, apartMs: APART_MS + unsureMs })
    return node === undefined ? 'wait' : { node }
  }
}
