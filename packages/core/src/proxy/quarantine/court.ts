import type { Clock } from '../../base/index.js'
import type { Logger } from '../../contracts/index.js'
import { burdenOf, byLikelihood, DeathBook, isOverdue, weightOf, type Burden, type Entry } from './death-book.js'
import { Doubts } from './doubts.js'
import { Inquests, timeAt, type Inquest, type LifeEnd, type Present } from './inquests.js'
import type { Known, Sentence } from './words.js'

const NO_BURDEN: Burden = { crashes: 0, ends: 0, lately: 0 }
const FIRST_TERM_MS = 600_000
const LONGEST_TERM_MS = 6 * 3_600_000

export interface CourtOptions {
  readonly clock: Clock
  readonly log: Logger
  /** It is known something else of these bodies. */
  readonly onKnown: (bodies: readonly Known[]) => void
  readonly onSentence: (sentence: Sentence) => void
  /** Calls back when all data paths have told who was at the node. */
  readonly hearAll: (inquest: Inquest, then: () => void) => void
  /** Who waits for a verdict may be served now. */
  readonly onVerdict: () => void
}

/** A body in quarantine, for people. */
export interface Quarantined extends Sentence {
  readonly pool: string
  readonly bytes: number
  /** Requests refused since. */
  readonly refused: number
}

/** What the court knows of a body that asks to be tried again. */
export interface Case {
  readonly sentence: Sentence | undefined
  readonly burden: Burden
  /** One of several that were at two crashes. */
  readonly isInDoubt: boolean
  /** Of these it is to be tried last. */
  readonly isLast: boolean
  /** Nodes that went away while they had it, and of which it is not known yet how they ended or who was there: whoever sent it. */
  readonly open: readonly Inquest[]
}

/**
 * Judges which body makes engines crash. Whoever was at a node when it crashed is a suspect. Whoever of all those was at another crash before, alone, is
 * quarantined; of several each is tried alone, and the last one not cleared was it. Whoever is answered is none, and what is explained burdens nobody else.
 */
export class Court {
  private readonly book: DeathBook
  private readonly inquests = new Inquests()
  private readonly doubts = new Doubts()

  constructor(private readonly options: CourtOptions) {
    this.book = new DeathBook((entry) => options.onKnown([{ is: 'clear', fingerprint: entry.fingerprint, bytes: entry.bytes }]))
  }

  /** What is known of all bodies. */
  known(): readonly Known[] {
    return [...this.book.all()].map(known)
  }

  caseOf(fingerprint: string): Case {
    const entry = this.book.get(fingerprint)
    const { doubts } = this
    return {
      sentence: entry?.sentence,
      burden: entry === undefined ? NO_BURDEN : burdenOf(entry, this.nowMs),
      isInDoubt: doubts.has(fingerprint),
      isLast: doubts.isLast(fingerprint),
      open: [...this.inquests.openFor(fingerprint)],
    }
  }

  inquestOf(life: string): Inquest | undefined {
    return this.inquests.of(life)
  }

  /** Whether the node has gone away since. */
  wentAway(node: string, sinceMs: number): boolean {
    return this.inquests.wentAway(node, sinceMs)
  }

  /** A node went away while it served the body. */
  broke(life: string, node: string, at: Omit<Present, 'brokeAtMs'>): Inquest {
    const present = { ...at, brokeAtMs: this.nowMs }
    const inquest = this.inquests.join(life, node, present)
    if (inquest.how === undefined || inquest.how === 'killed') return inquest
    // It ended first, and this path heard late.
    this.options.onKnown([known(this.writeDown(inquest, present))])
    this.judgeSoon(inquest)
    return inquest
  }

  /** A process ended, or nothing answers any more where a server was. */
  ended(life: string, node: string, how: LifeEnd): void {
    const inquest = this.inquests.close(life, node, { how, atMs: this.nowMs, epochMs: this.options.clock.epochMs() })
    if (inquest === undefined) return
    if (how === 'killed') inquest.judged = true
    else {
      this.options.onKnown([...inquest.present.values()].map((present) => known(this.writeDown(inquest, present))))
      this.judgeSoon(inquest)
    }
    this.options.onVerdict()
  }

  /** The body got so far at a node. */
  further(fingerprint: string, progress: number): void {
    this.book.further(fingerprint, progress)
    const entry = this.book.get(fingerprint)
    if (entry === undefined || (entry.sentence === undefined && !isOverdue(burdenOf(entry, this.nowMs)))) this.cleared(fingerprint)
    if (entry !== undefined) this.options.onKnown([known(entry)])
  }

  /** It is harmless. */
  acquit(fingerprint: string): void {
    const entry = this.book.get(fingerprint)
    if (entry !== undefined) this.book.forget(entry)
    this.cleared(fingerprint)
  }

  /** It is the likeliest of those in doubt, and none of the others could be told to have done it: it gets no third node. */
  convictLikeliest(fingerprint: string): void {
    if (this.doubts.isLast(fingerprint)) this.quarantine(fingerprint)
  }

  refused(fingerprint: string): void {
    const entry = this.book.get(fingerprint)
    if (entry !== undefined) entry.refused += 1
  }

  list(): readonly Quarantined[] {
    return [...this.book.all()].flatMap(({ sentence, pool, bytes, refused }) =>
      sentence === undefined ? [] : [{ ...sentence, pool, bytes, refused }],
    )
  }

  private get nowMs(): number {
    return this.options.clock.nowMs()
  }

  private writeDown(inquest: Inquest, present: Present): Entry {
    const { id, node, how } = inquest
    const { suspect, progress } = present
    return this.book.add(suspect, { id, node, isCrash: how === 'crash', progress, atNodeMs: timeAt(inquest, present), atMs: this.nowMs })
  }

  private judgeSoon(inquest: Inquest): void {
    inquest.judged = false
    // Who is told of while they are heard is heard, too.
    if (inquest.isHearing) return
    inquest.isHearing = true
    this.options.hearAll(inquest, () => {
      inquest.isHearing = false
      this.judge(inquest)
      this.options.onVerdict()
    })
  }

  /** Of those that were there, who was at a crash before? What ends nodes was at more ends than anybody. */
  private judge(inquest: Inquest): void {
    inquest.judged = true
    for (const [fingerprint, present] of inquest.present) this.book.timed(fingerprint, inquest.id, timeAt(inquest, present))
    const overdue = this.mostBurdened(inquest)
    const [likeliest, other] = overdue.toSorted(byLikelihood)
    if (likeliest === undefined) return
    if (other === undefined) return this.quarantine(likeliest.fingerprint)
    this.doubts.begin(
      overdue.map(({ fingerprint }) => fingerprint),
      likeliest.fingerprint,
    )
    this.options.log.warn('quarantine.in_doubt', { node: inquest.node, bodies: overdue.length })
  }

  private mostBurdened({ present }: Inquest): readonly Entry[] {
    const entries = [...present.keys()].flatMap((fingerprint) => this.book.get(fingerprint) ?? [])
    const overdue = entries.filter((entry) => entry.sentence === undefined && this.isHeard(entry) && isOverdue(burdenOf(entry, this.nowMs)))
    const weight = (entry: Entry): number => weightOf(burdenOf(entry, this.nowMs))
    const most = Math.max(...overdue.map(weight))
    return overdue.filter((entry) => weight(entry) === most)
  }

  /** Whether all who were where it was have been told of; if not, it is judged when they are. */
  private isHeard({ fingerprint }: Entry): boolean {
    for (const { how } of this.inquests.openFor(fingerprint)) if (how !== undefined) return false
    return true
  }

  private quarantine(fingerprint: string): void {
    const entry = this.book.get(fingerprint)
    if (entry === undefined || entry.sentence !== undefined) return
    const { clock, log, onKnown, onSentence } = this.options
    const termMs = Math.min(LONGEST_TERM_MS, FIRST_TERM_MS * 2 ** entry.terms)
    const nodes = entry.deaths.map(({ node }) => node)
    const sentence = { fingerprint, nodes, untilMs: clock.epochMs() + termMs }
    entry.terms += 1
    entry.sentence = sentence
    entry.refused = 0
    clock.after(termMs, () => this.release(entry, sentence))
    this.doubts.end(fingerprint)
    this.book.explain(entry)
    onKnown([known(entry)])
    log.warn('quarantine.begun', { fingerprint, pool: entry.pool, bytes: entry.bytes, nodes: nodes.join(' '), forMs: termMs })
    onSentence(sentence)
  }

  /** Its time is over; one more crash, and it is back for longer. */
  private release(entry: Entry, sentence: Sentence): void {
    if (entry.sentence !== sentence || this.book.get(entry.fingerprint) !== entry) return
    entry.sentence = undefined
    const [last] = entry.deaths.slice(-1)
    if (last !== undefined) {
      const { isBeyond: _isBeyond, ...death } = last
      entry.deaths = [{ ...death, isCrash: true, atMs: this.nowMs }]
    }
    this.options.onKnown([known(entry)])
  }

  private cleared(fingerprint: string): void {
    const left = this.doubts.clear(fingerprint)
    if (left !== undefined) this.quarantine(left)
  }
}

function known(entry: Entry): Known {
  const { fingerprint, bytes, sentence } = entry
  if (sentence !== undefined) return { is: 'quarantined', fingerprint, bytes, sentence }
  return { is: burdenOf(entry, Infinity).ends > 0 ? 'suspect' : 'clear', fingerprint, bytes }
}
