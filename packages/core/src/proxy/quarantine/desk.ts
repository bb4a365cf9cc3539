import type { Clock } from '../../base/index.js'
import type { Admitted } from '../admit.js'
import type { AttemptEnd } from '../forward.js'
import type { Face, RosterNode } from '../../contracts/index.js'
import type { TimerWheel } from '../../wire/index.js'
import { fingerprintOf } from './fingerprint.js'
import { Guard, isBreak, TURNS_MS } from './guard.js'
import type { DeskWord, Known, OfficeWord, Suspect } from './words.js'

export interface DeskOptions {
  readonly clock: Clock
  readonly wheel: TimerWheel
  /** Salts fingerprints, so that they mean nothing outside this installation. */
  readonly salt: Uint8Array
  readonly tell: (word: DeskWord) => void
}

/** What the office says to one that asked. */
export type Reply = Extract<OfficeWord, { ticket: number }>

/** One try that is over. */
export interface Tried {
  readonly node: RosterNode
  readonly atNodeMs: number
  readonly end: Pick<AttemptEnd, 'outcome' | 'verdict' | 'contentEvents'>
}

/** A data path's side of the quarantine. Costs nothing while no engine has crashed, and afterwards the comparison of a length for nearly all requests. */
export class QuarantineDesk {
  private readonly known = new Map<string, Exclude<Known, { is: 'clear' }>>()
  /** How many known bodies have this size. */
  private readonly sizes = new Map<number, number>()
  private readonly replies = new Map<number, (reply: Reply) => void>()
  private tickets = 0

  constructor(readonly options: DeskOptions) {}

  hear(word: OfficeWord): void {
    if (word.type === 'known') {
      for (const body of word.bodies) this.learn(body)
      return
    }
    if (word.type === 'roll-call') return this.answerCall(word.call)
    const reply = this.replies.get(word.ticket)
    this.replies.delete(word.ticket)
    // It did not wait for the answer: the place that it was given is free.
    if (reply === undefined) return this.tell({ type: 'done', ticket: word.ticket })
    reply(word)
  }

  /** Whether engines crashed while they had this body. */
  knows({ face, body }: { readonly face: Face; readonly body: Uint8Array }): boolean {
    return this.sizes.has(body.byteLength) && this.known.has(fingerprintOf(face, body, this.options.salt))
  }

  /** Before the first try: for a body that was at a node that crashed. Undefined for all others. */
  guardOf(request: Admitted): Guard | undefined {
    if (request.guard !== undefined || !this.sizes.has(request.scan.body.byteLength)) return request.guard
    const suspect = this.suspectOf(request)
    return this.known.has(suspect.fingerprint) ? new Guard(this, suspect, request.exchange) : undefined
  }

  /** After each try. A request whose node went away has a guard from then on. */
  after(guard: Guard | undefined, request: Admitted, tried: Tried): Guard | undefined {
    const watched = guard ?? (isBreak(tried.end) ? new Guard(this, this.suspectOf(request), request.exchange) : this.guardOf(request))
    watched?.ended(tried)
    return watched
  }

  of(fingerprint: string): Known | undefined {
    return this.known.get(fingerprint)
  }

  ask(question: Omit<Extract<DeskWord, { type: 'ask' }>, 'type' | 'ticket'>, onReply: (reply: Reply) => void): number {
    const ticket = (this.tickets += 1)
    this.replies.set(ticket, onReply)
    this.tell({ type: 'ask', ticket, ...question })
    return ticket
  }

  /** It waits no longer, or needs its place no longer. */
  done(ticket: number): void {
    this.replies.delete(ticket)
    this.tell({ type: 'done', ticket })
  }

  tell(word: DeskWord): void {
    this.options.tell(word)
  }

  /** Nobody of this path is at the node any more; what it has told is on its way. Where that took too long, the next turns may still bring something. */
  private answerCall(call: number): void {
    this.options.clock.after(TURNS_MS, () => this.tell({ type: 'here', call }))
  }

  private suspectOf({ face, scan, pool }: Admitted): Suspect {
    return { fingerprint: fingerprintOf(face, scan.body, this.options.salt), bytes: scan.body.byteLength, pool: pool.name }
  }

  private learn(body: Known): void {
    const { fingerprint, bytes } = body
    const wasKnown = this.known.has(fingerprint)
    if (body.is === 'clear') this.known.delete(fingerprint)
    else this.known.set(fingerprint, body)
    const change = Number(body.is !== 'clear') - Number(wasKnown)
    const count = (this.sizes.get(bytes) ?? 0) + change
    if (count > 0) this.sizes.set(bytes, count)
    else this.sizes.delete(bytes)
  }
}
