import type { Clock, TimerHandle } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { LbError, messageOf } from '../errors/index.js'
import { nextMoves } from './next-moves.js'
import type { PoolReading } from './pool-reading.js'
import type { Phase, ResidencyMoves } from './pool-view.js'
import { Misfits } from './misfits.js'
import { ResidencyEntry } from './residency-book.js'
import type { ResidencyNews } from './residency-news.js'
import type { ResidencyStatus } from './residency-status.js'
import { awakeWords, failedWords, restReasonWords, turnWords, waitWords } from './words.js'

export interface ResidencyOptions {
  readonly clock: Clock
  readonly log: Logger
  /** The pools that share accelerators, in declared order, as they are now. */
  readonly pools: () => readonly PoolReading[]
  /** Whether all these may be awake at once, as far as is known beforehand. */
  readonly fits: (names: readonly string[]) => boolean
  /** Whether they stand on one machine: only there can one be in the way of the other. */
  readonly isNear: (one: string, other: string) => boolean
  /** Resolve when it was begun. */
  readonly rest: (pool: string) => Promise<void>
  readonly wake: (pool: string) => Promise<void>
  /** For people. */
  readonly say: (pool: string, message: string) => void
  /** Told at each look. */
  readonly waits: (pool: string, wait: RestingWait) => void
  /** For whoever counts. */
  readonly news: (news: ResidencyNews) => void
}

/** No timer can be set for much longer. */
const LONGEST_LOOK_MS = 86_400_000
/** Why requests of a pool at rest find nobody. */
export interface RestingWait {
  /** What they wait for, for whoever gives up; absent: nobody waits. */
  readonly words?: string
  /** It could not be woken, and nobody tries before a while: nobody need wait for it. */
  readonly isHeldBack: boolean
}

/** After a change that could not be made, such as on a full disk. */
const RETRY_MS = 5_000

/** Keeps those pools awake that requests wait for, as far as they fit. Looks when something has happened, and when time alone changes the answer. */
export class Residency {
  private readonly entries = new Map<string, ResidencyEntry>()
  private readonly misfits = new Misfits()
  private makingRoom: ReadonlySet<string> = new Set()
  private queued: ResidencyMoves['queued'] = new Map()
  private looking: TimerHandle | undefined
  private lookingAtMs = Infinity
  private stirred = false
  private stopped = false

  constructor(private readonly options: ResidencyOptions) {}

  /** Something has happened. Looks in a turn of its own. */
  stir(): void {
    if (this.stirred || this.stopped) return
    this.stirred = true
    queueMicrotask(() => {
      this.stirred = false
      this.look()
    })
  }

  /** A request of the pool has ended. */
  worked(pool: string): void {
    this.entries.get(pool)?.worked(this.options.clock.nowMs())
  }

  stop(): void {
    this.stopped = true
    this.looking?.cancel()
  }

  /** Throws LB_CANNOT_UNLOAD. */
  unload(pool: string): ResidencyStatus {
    const reading = this.options.pools().find(({ name }) => name === pool)
    if (reading === undefined)
      throw cannotUnload(`${pool} keeps its engines: it does not say \`residency\``, 'give the pool `residency: {}`')
    const because = reading.unableBecause ?? reading.pinnedBecause
    if (because !== undefined) throw cannotUnload(`${pool} cannot be put to rest: ${because}`, 'lb status shows what it is at')
    this.see(this.options.pools())
    this.entryOf(reading).shallRest = !reading.rests
    this.look()
    this.see(this.options.pools())
    return this.statusOf(reading)
  }

  list(): readonly ResidencyStatus[] {
    return this.options.pools().map((reading) => this.statusOf(reading))
  }

  /** A fault here must cost no request anything, nor end the looking. */
  private look(): void {
    if (this.stopped) return
    try {
      this.lookNow()
    } catch (error) {
      this.options.log.error('residency.look_failed', { error: messageOf(error) })
      this.lookAt(this.options.clock.nowMs() + RETRY_MS)
    }
  }

  private lookNow(): void {
    const readings = this.options.pools()
    // What was found there may have changed them.
    if (this.see(readings)) return this.stir()
    const nowMs = this.options.clock.nowMs()
    const pools = readings.map((reading) => this.entryOf(reading).view(reading))
    const moves = nextMoves({ pools, nowMs, fits: (names) => this.fits(names) })
    this.makingRoom = new Set(moves.makingRoom)
    this.queued = moves.queued
    for (const reading of readings) this.options.waits(reading.name, this.waitOf(reading, moves, readings))
    this.make(moves)
    const pausedUntilMs = [...this.entries.values()].map((entry) => entry.pausedUntilMs).filter((atMs) => atMs > nowMs)
    this.lookAt(Math.min(moves.lookAgainMs, ...pausedUntilMs))
  }

  private waitOf({ name, rests, isAtRest, waiting }: PoolReading, moves: ResidencyMoves, all: readonly PoolReading[]): RestingWait {
    if (!rests || !isAtRest || moves.wake.includes(name)) return { isHeldBack: false }
    const entry = this.entries.get(name)
    if (entry !== undefined && this.options.clock.nowMs() < entry.pausedUntilMs)
      return { words: failedWords(entry.failure), isHeldBack: true }
    if (waiting === 0) return { isHeldBack: false }
    const leaving = all.filter((each) => each.rests && !each.isAtRest).map((each) => each.name)
    const going = moves.makingRoom.includes(name) ? [...new Set([...leaving, ...moves.rest.map(({ pool }) => pool)])] : []
    return { words: waitWords({ going, behind: moves.queued.get(name)?.behind ?? [] }), isHeldBack: false }
  }

  /** True where a pool has come into another phase. */
  private see(readings: readonly PoolReading[]): boolean {
    const nowMs = this.options.clock.nowMs()
    let isNews = false
    for (const reading of readings) {
      const entry = this.entryOf(reading)
      const afterMs = nowMs - entry.sinceMs
      const phase = entry.see(reading, nowMs)
      if (phase === undefined) continue
      isNews = true
      this.entered(reading, phase, afterMs, readings)
    }
    for (const name of this.entries.keys()) if (!readings.some((reading) => reading.name === name)) this.entries.delete(name)
    return isNews
  }

  private entered(reading: PoolReading, phase: Phase, afterMs: number, readings: readonly PoolReading[]): void {
    const { name, failure, waiting } = reading
    const nowMs = this.options.clock.nowMs()
    const entry = this.entryOf(reading)
    if (phase === 'resting') this.tell(name, 'rests')
    if (phase !== 'awake') return
    if (failure === undefined) {
      this.options.news({ kind: 'awake', pool: name, afterMs })
      return this.tell(name, awakeWords(afterMs, waiting))
    }
    this.options.news({ kind: 'not-awake', pool: name })
    const beside = readings
      .filter((each) => each.name !== name && !each.rests && this.options.isNear(name, each.name))
      .map((each) => each.name)
    if (beside.length === 0) {
      this.misfits.acquit(name)
      entry.failed(nowMs, failure)
      return this.tell(name, `could not be woken: ${failure}`)
    }
    // It was thought to fit beside them. Next time they make room.
    this.misfits.learn(name, beside, nowMs)
    this.tell(name, `could not be woken beside ${beside.join(', ')}: ${failure}; it comes back once they make room`)
    void this.options.rest(name).catch((error: unknown) => this.failed(name, error))
  }

  private fits(names: readonly string[]): boolean {
    if (names.length < 2) return true
    return !this.misfits.isAmong(names, this.options.clock.nowMs()) && this.options.fits(names)
  }

  private make({ wake, rest }: ResidencyMoves): void {
    for (const { pool, reason } of rest) {
      this.options.news({ kind: 'rests', pool, reason })
      if (reason.why === 'failed') this.entries.get(pool)?.failed(this.options.clock.nowMs(), undefined)
      this.begin(pool, () => this.options.rest(pool), restReasonWords(reason))
    }
    for (const pool of wake) {
      const entry = this.entries.get(pool)
      if (entry !== undefined) entry.wakes += 1
      this.begin(pool, () => this.options.wake(pool), 'is woken for requests that wait')
    }
  }

  private begin(pool: string, change: () => Promise<void>, words: string): void {
    this.tell(pool, words)
    change().then(
      () => this.stir(),
      (error: unknown) => this.failed(pool, error),
    )
  }

  private failed(pool: string, error: unknown): void {
    this.options.log.error('residency.failed', { pool, error: messageOf(error) })
    this.tell(pool, `what it shares cannot be changed now: ${messageOf(error)}`)
    this.lookAt(this.options.clock.nowMs() + RETRY_MS)
  }

  private tell(pool: string, words: string): void {
    const entry = this.entries.get(pool)
    if (entry !== undefined) entry.reason = words
    this.options.say(pool, words)
  }

  /** The earliest of what was asked for; each look asks anew. */
  private lookAt(atMs: number): void {
    const nowMs = this.options.clock.nowMs()
    if (this.lookingAtMs > nowMs && this.lookingAtMs <= atMs) return
    this.looking?.cancel()
    this.lookingAtMs = atMs
    if (atMs === Infinity || this.stopped) return
    this.looking = this.options.clock.after(Math.min(LONGEST_LOOK_MS, Math.max(0, atMs - nowMs)), () => {
      this.lookingAtMs = Infinity
      this.look()
    })
  }

  private entryOf(reading: PoolReading): ResidencyEntry {
    const known = this.entries.get(reading.name)
    if (known !== undefined) return known
    const entry = new ResidencyEntry(reading, this.options.clock.nowMs())
    this.entries.set(reading.name, entry)
    return entry
  }

  /** What is worth more than the last thing that happened to it. */
  private reasonOf({ name, waiting, unableBecause }: PoolReading, isComing: boolean): string | undefined {
    if (isComing) return 'others make room for it'
    const queued = waiting === 0 ? undefined : this.queued.get(name)
    return queued === undefined ? unableBecause : turnWords(queued.behind, queued.dueMs - this.options.clock.nowMs())
  }

  private statusOf(reading: PoolReading): ResidencyStatus {
    const { clock } = this.options
    const { phase, sinceMs, wakes, reason } = this.entryOf(reading)
    const isComing = phase === 'resting' && this.makingRoom.has(reading.name)
    return {
      pool: reading.name,
      state: isComing ? 'making-room' : phase,
      sinceMs: clock.epochMs() - (clock.nowMs() - sinceMs),
      waiting: reading.waiting,
      wakes,
      reason: this.reasonOf(reading, isComing) ?? reason,
    }
  }
}

function cannotUnload(message: string, hint: string): LbError {
  return new LbError(message, { code: 'LB_CANNOT_UNLOAD', source: 'operator', httpStatus: 409, hint })
}
