import type { Clock, TimerHandle } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { ScaleTrigger } from '../topology/index.js'
import { numberIn, urlOf } from './read-number.js'
import type { TriggerReading } from './policy/index.js'

const TIMEOUT_MS = 5_000
const LEAST_EVERY_MS = 1_000
/** Longer than this no timer can be set. */
const LONGEST_EVERY_MS = 86_400_000
/** So many times its interval, and at least so long, a value is used after the last answer. */
const KEPT_INTERVALS = 4
const KEPT_MS = 120_000

export interface TriggerWatchOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Names the group in what is logged. */
  readonly place: string
  /** Mean use of the group's accelerators; undefined: unknown. */
  readonly gpuUse: () => Promise<number | undefined>
  /** The text of an answer of 2xx; throws for any other. */
  readonly fetchText: (url: string, signal: AbortSignal) => Promise<string>
}

/** Asks one trigger now and then. What it said last is used for a while when it fails, and then not at all. */
export class TriggerWatch {
  private last: { readonly value: number; readonly atMs: number } | undefined
  private failing: string | undefined
  private timer: TimerHandle | undefined
  private readonly cancel = new AbortController()

  constructor(
    private readonly trigger: ScaleTrigger,
    private readonly options: TriggerWatchOptions,
  ) {}

  start(): void {
    void this.ask()
  }

  stop(): void {
    this.timer?.cancel()
    this.cancel.abort()
  }

  /** Undefined: it has said nothing that still holds. */
  reading(): TriggerReading | undefined {
    const { name, perReplica, kind } = this.trigger
    if (this.last === undefined || this.heldForMs <= 0) return undefined
    return { name, value: this.last.value, perReplica, isMean: kind === 'gpu' }
  }

  /** Why it does not answer, for people; undefined: it does. */
  get problem(): string | undefined {
    const { failing, heldForMs } = this
    if (failing === undefined) return undefined
    const meanwhile = heldForMs > 0 ? `its last value counts for another ${Math.ceil(heldForMs / 1_000)} s` : 'it asks for nothing'
    return `trigger ${this.trigger.name}: ${failing}; ${meanwhile}`
  }

  /** So much longer its last value is used. */
  private get heldForMs(): number {
    const { last, trigger, options } = this
    return last === undefined ? 0 : last.atMs + Math.max(KEPT_MS, KEPT_INTERVALS * trigger.everyMs) - options.clock.nowMs()
  }

  private async ask(): Promise<void> {
    const { clock, log, place } = this.options
    try {
      const value = await this.value()
      if (value !== undefined) this.last = { value, atMs: clock.nowMs() }
      if (this.failing !== undefined) log.info('scale.trigger_answers', { group: place, trigger: this.trigger.name })
      this.failing = undefined
    } catch (error) {
      if (this.failing === undefined && !this.cancel.signal.aborted) {
        const goesOn = this.last === undefined ? 'it asks for nothing until it answers' : 'its last value counts for a while'
        log.warn('scale.trigger_failed', { group: place, trigger: this.trigger.name, error: messageOf(error), note: goesOn })
      }
      this.failing = messageOf(error).slice(0, 200)
    }
    if (!this.cancel.signal.aborted) this.timer = clock.after(this.everyMs, () => void this.ask())
  }

  private get everyMs(): number {
    return Math.min(LONGEST_EVERY_MS, Math.max(LEAST_EVERY_MS, this.trigger.everyMs))
  }

  private async value(): Promise<number | undefined> {
    const url = urlOf(this.trigger)
    if (url === undefined) return this.options.gpuUse()
    const late = new AbortController()
    const timer = this.options.clock.after(TIMEOUT_MS, () => late.abort(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)))
    try {
      return numberIn(await this.options.fetchText(url, AbortSignal.any([late.signal, this.cancel.signal])), this.trigger)
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error
    } finally {
      timer.cancel()
    }
  }
}
