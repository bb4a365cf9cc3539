import type { Clock, TimerHandle } from '../../base/index.js'
import type { Logger } from '../../contracts/index.js'
import { Court, type Quarantined } from './court.js'
import { isOverdue } from './death-book.js'
import { Escorts, type Asking } from './escorts.js'
import type { LifeEnd } from './inquests.js'
import { RollCalls } from './roll-calls.js'
import type { DeskWord, OfficeWord, Sentence } from './words.js'

/** Those that ask first need not be the likeliest: so long all are gathered, unless it turns out that nobody crashed. */
const GATHER_MS = 10
/** A suspect has a node for itself so long, or until its first content. */
const ESCORT_MS = 100
/** The same where two nodes have ended already. */
const TRIAL_MS = 2_000
/** A process that lb launched and that has not ended by then lives: the connection broke for another reason. */
const OWN_END_MS = 250
/** Until others can tell how a node went, and until it is known who was there. */
const VERDICT_MS = 1_000
const HEARING_MS = 2_000
/** Longest wait for an escort: after a connection that just broke, after a crash, after two. */
const LONGEST = { broke: OWN_END_MS, suspect: 2_000, inDoubt: 5_000 } as const
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
    const { clock, log, tellAll, onSentence } = options
    this.rollCalls = new RollCalls({ clock, desks: options.desks, call: (call) => tellAll({ type: 'roll-call', call }) })
    this.court = new Court({
      clock,
      log,
      onKnown: (bodies) => tellAll({ type: 'known', bodies }),
      onSentence,
      hearAll: (then) => this.rollCalls.begin(then),
      onVerdict: () => this.turn(),
    })
  }

  hear(desk: number, word: DeskWord): void {
    const { court } = this
    if (word.type === 'broke') court.broke(word.life, word.node, word)
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

  private ask(desk: number, word: Extract<DeskWord, { type: 'ask' }>): void {
    const last = this.court.inquestOf(word.lives.at(-1) ?? '')
    const atNodeMs = last?.present.get(word.suspect.fingerprint)?.atNodeMs ?? Infinity
    const asking = { word, desk, sinceMs: this.options.clock.nowMs(), atNodeMs }
    if (this.answer(asking)) return
    this.asking.push(asking)
    this.turnIn(TICK_MS)
  }

  private done(desk: number, ticket: number): void {
    this.escorts.done(desk, ticket)
    this.asking = this.asking.filter((each) => each.desk !== desk || each.word.ticket !== ticket)
  }

  /** Lets go whoever may go now. */
  private turn(): void {
    if (this.asking.length === 0) return
    this.escorts.expire(this.options.clock.nowMs())
    const asking = this.asking.toSorted((a, b) => a.atNodeMs - b.atNodeMs)
    this.asking = []
    const waiting = asking.filter((each) => !this.answer(each))
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
    const { sentence } = this.court.caseOf(word.suspect.fingerprint)
    const where = sentence === undefined ? this.placeFor(asking) : 'anywhere'
    if (where === 'wait') return false
    if (sentence !== undefined) this.options.tell(desk, { type: 'refuse', ticket: word.ticket, sentence })
    else this.options.tell(desk, { type: 'go', ticket: word.ticket, ...(where === 'anywhere' ? {} : where) })
    return true
  }

  private placeFor(asking: Asking): 'wait' | 'anywhere' | { readonly node: string } {
    const { lives, suspect } = asking.word
    const { burden, isInDoubt, isLast } = this.court.caseOf(suspect.fingerprint)
    const { crashes, ends, lately } = burden
    const nowMs = this.options.clock.nowMs()
    const waitedMs = nowMs - asking.sinceMs
    const open = lives.filter((life) => this.mayCount(life))
    const unknown = open.filter((life) => this.isOpen(life))
    const mayBeCrashes = unknown.filter((life) => this.isOurs(life)).length
    // It may be overdue: another node only when that is known.
    if (open.length > 0 && isOverdue({ crashes: crashes + mayBeCrashes, ends: ends + unknown.length, lately: lately + mayBeCrashes }))
      return waitedMs < (unknown.length < open.length ? HEARING_MS : VERDICT_MS) ? 'wait' : 'anywhere'
    const isSuspect = crashes > 0 || ends > 1
    if (!isSuspect && mayBeCrashes === 0) return 'anywhere'
    const candidates = asking.word.candidates.filter((node) => !this.court.wentAway(node, asking.sinceMs))
    const longestMs = isInDoubt ? LONGEST.inDoubt : !isSuspect || lives.length === 0 ? LONGEST.broke : LONGEST.suspect
    if (waitedMs >= longestMs || candidates.length === 0) return 'anywhere'
    if (isLast || (lives.length > 0 && waitedMs < GATHER_MS)) return 'wait'
    const node = this.escorts.lead(asking, candidates, nowMs + (isInDoubt ? TRIAL_MS : ESCORT_MS))
    return node === undefined ? 'wait' : { node }
  }

  private isOurs(life: string): boolean {
    const inquest = this.court.inquestOf(life)
    return inquest !== undefined && (inquest.isOurs ??= this.options.isOurs(inquest.node))
  }

  /** It is not known yet how the life ended, or what that means. */
  private mayCount(life: string): boolean {
    const inquest = this.court.inquestOf(life)
    if (inquest === undefined || inquest.judged) return false
    if (inquest.how !== undefined) return true
    return this.options.clock.nowMs() - inquest.openedAtMs < (this.isOurs(life) ? OWN_END_MS : VERDICT_MS)
  }
}
