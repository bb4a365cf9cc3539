import type { TimerHandle } from '../../base/index.js'
import { LbError } from '../../errors/index.js'
import type { Exchange } from '../../wire/index.js'
import { clientLeft } from '../unanswered.js'
import type { QuarantineDesk, Reply, Tried } from './desk.js'
import type { Sentence, Suspect } from './words.js'

/** The office answers everybody within 5 s; if it does not, the main thread has other troubles than this request. */
const LONGEST_HOLD_MS = 7_000
/** Who has lost so many nodes gets no other without leave. */
const MOST_UNEXPLAINED = 2
/** Who has content for so long at a node has got further than where another one ended. */
const PROOF_MS = 200

/** A thread that was busy runs its timers first: what it has not heard yet it hears in turns that follow. */
export const TURNS_MS = 15

/** A walk from node to node, as its guard sees it. */
export interface Guarded {
  /** Ids of the nodes that could take the request now, the best first. */
  candidates(): readonly string[]
  /** It may go on. */
  again(): void
  /** It goes no further. */
  stopped(error: LbError): void
}

/** The engine process is gone or says so itself; a node that cannot be connected to, refuses or hangs never had the body, or still lives. */
export function isBreak({ outcome, verdict }: Tried['end']): boolean {
  return outcome === 'reset' || outcome === 'cut' || verdict === 'death'
}

/** Goes along with one request whose body was at a node when it went away: tells the office, and asks it before each further try. */
export class Guard {
  /** The id of the node that the next try may go to; undefined: any. */
  only: string | undefined
  private readonly lives: string[] = []
  private mayGo = false
  private ticket: number | undefined
  private patience: TimerHandle | undefined
  private proving: TimerHandle | undefined
  /** Pieces of content that the client has had. */
  private delivered = 0

  constructor(
    private readonly desk: QuarantineDesk,
    private readonly suspect: Suspect,
    private readonly exchange: Exchange,
  ) {}

  /** True: the walk has to wait, or has ended; it is told. */
  holds(walk: Guarded): boolean {
    if (this.mayGo) return false
    const { desk, suspect, lives } = this
    const known = desk.of(suspect.fingerprint)
    if (known?.is === 'quarantined') return this.refuse(walk, known.sentence)
    if (known === undefined && lives.length === 0) return false
    let waits = false
    const onReply = (reply: Reply): void => {
      this.resume()
      if (reply.type === 'refuse') return void this.refuse(walk, reply.sentence)
      this.mayGo = true
      this.only = reply.node
      if (waits) walk.again()
    }
    this.ticket = desk.ask({ suspect, lives, candidates: walk.candidates() }, onReply)
    if (this.mayGo || this.isRefused) return !this.mayGo
    waits = true
    this.wait(walk)
    return true
  }

  /** The try that it has leave for has content. What crashes on its first tokens has that, too: a little later it says more. */
  readonly onContent = (): void => {
    const { desk, suspect } = this
    this.release()
    this.proving?.cancel()
    const { wheel, clock } = desk.options
    const tell = (): void => desk.tell({ type: 'further', fingerprint: suspect.fingerprint, progress: this.delivered + 1 })
    this.proving = wheel.after(PROOF_MS, () => void (this.proving = clock.after(TURNS_MS, tell)))
  }

  ended({ node, atNodeMs, end }: Tried): void {
    const { desk, suspect } = this
    this.release()
    this.proving?.cancel()
    this.mayGo = false
    this.only = undefined
    if (end.outcome === 'answered') return desk.tell({ type: 'answered', fingerprint: suspect.fingerprint })
    if (!isBreak(end)) return
    const life = node.connectionKey
    this.delivered = Math.max(this.delivered, end.contentEvents)
    this.lives.push(life)
    desk.tell({
      type: 'broke',
      suspect,
      node: node.id,
      life,
      progress: this.delivered,
      sentAtMs: desk.options.clock.epochMs() - atNodeMs,
      atNodeMs,
    })
  }

  private isRefused = false

  private refuse(walk: Guarded, sentence: Sentence): true {
    this.isRefused = true
    this.desk.tell({ type: 'refused', fingerprint: sentence.fingerprint })
    walk.stopped(quarantined(sentence, this.desk.options.clock.epochMs()))
    return true
  }

  private wait(walk: Guarded): void {
    const giveUp = (): void => {
      this.release()
      this.resume()
    }
    this.patience = this.desk.options.wheel.after(LONGEST_HOLD_MS, () => {
      giveUp()
      if (this.lives.length >= MOST_UNEXPLAINED) return walk.stopped(unexplained(this.lives.length))
      this.mayGo = true
      walk.again()
    })
    this.exchange.onGone(() => {
      giveUp()
      walk.stopped(clientLeft())
    })
  }

  private resume(): void {
    if (this.patience === undefined) return
    this.patience.cancel()
    this.patience = undefined
    this.exchange.onGone(() => undefined)
  }

  private release(): void {
    if (this.ticket !== undefined) this.desk.done(this.ticket)
    this.ticket = undefined
  }
}

/** Nothing says that it was the request; but if it was, the next node would be lost, too. */
function unexplained(count: number): LbError {
  return new LbError(`${count} nodes went away while they served this request, and it could not be found out in time whether it was why`, {
    code: 'LB_REQUEST_UNEXPLAINED',
    source: 'engine',
    httpStatus: 503,
    hint: 'send it again in a few seconds; `lb status` shows how the nodes are',
  })
}

/** What a client is told: 422, which official clients do not send again by themselves. */
function quarantined({ fingerprint, nodes, untilMs }: Sentence, nowMs: number): LbError {
  const minutes = Math.max(1, Math.ceil((untilMs - nowMs) / 60_000))
  const [first = 'a node'] = nodes
  const where = nodes.length === 1 ? first : `${nodes.length} nodes (${nodes.join(', ')})`
  return new LbError(`${where} crashed on exactly this request: it is in quarantine for ${minutes} more minutes`, {
    code: 'LB_REQUEST_QUARANTINED',
    source: 'client',
    httpStatus: 422,
    hint: `change the request, or ask the operator: \`lb quarantine lift ${fingerprint}\` lets it through`,
  })
}
