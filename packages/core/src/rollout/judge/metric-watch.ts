import type { Clock, TimerHandle } from '../../base/index.js'
import { isLbError, messageOf } from '../../errors/index.js'
import type { MetricPlan } from '../../topology/index.js'
import type { FigureVerdict } from '../rollout-status.js'
import { untold, type MetricSource, type Side } from './metric-source.js'

/** A metric as it was last told. */
export interface MetricReading {
  readonly name: string
  /** Null: nothing readable came. */
  readonly canary: number | null
  /** Null: it is not told for each revision, or nothing readable came. */
  readonly baseline: number | null
  readonly limit: string
  readonly verdict: FigureVerdict
  readonly reason: string
  /** No number has come by now. */
  readonly isUntold: boolean
}

export interface MetricWatchOptions {
  readonly clock: Clock
  readonly source: MetricSource
  readonly onReading: (reading: MetricReading) => void
}

/** An answer takes no longer. */
const limitMs = 10_000

/** Asks for one metric as often as its plan says, for as long as a rollout is watched. An answer that is none counts as bad: no data is a failure. */
export class MetricWatch {
  private bad = 0
  private isUntold = true
  private timer: TimerHandle | undefined
  private asking: AbortController | undefined

  constructor(
    private readonly plan: Omit<MetricPlan, 'url' | 'path' | 'plugin' | 'args'>,
    private readonly options: MetricWatchOptions,
  ) {}

  start(): void {
    this.stop()
    this.options.onReading(this.reading(null, null, 'undecided', `${this.plan.name}: nothing was told yet`))
    void this.round()
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
    this.asking?.abort()
    this.asking = undefined
  }

  private async round(): Promise<void> {
    const { clock, source, onReading } = this.options
    const asking = new AbortController()
    this.asking = asking
    const limit = clock.after(limitMs, () => asking.abort(untold(`no answer within ${limitMs / 1000} s`)))
    const reading = await this.read('new', asking.signal)
    const baseline = source.isForEach && typeof reading !== 'string' ? await this.read('old', asking.signal) : undefined
    limit.cancel()
    if (this.asking !== asking) return
    this.timer = clock.after(this.plan.everyMs, () => void this.round())
    onReading(this.judged(reading, typeof baseline === 'number' ? baseline : null))
  }

  private judged(value: number | string | null, baseline: number | null): MetricReading {
    const { name, failures } = this.plan
    if (value === null) return this.reading(null, baseline, 'undecided', `${name}: nothing was told yet`)
    if (typeof value === 'number') this.isUntold = false
    const wrong = typeof value === 'string' ? value : this.isOutside(value) ? `is ${value}` : undefined
    const canary = typeof value === 'string' ? null : value
    if (wrong === undefined) return this.reading(canary, baseline, 'good', '')
    this.bad += 1
    const borne = failures === 0 ? '' : `, ${this.bad} bad answers and ${failures} are borne`
    return this.reading(canary, baseline, this.bad > failures ? 'bad' : 'undecided', `${name}: ${wrong} (${this.limit}${borne})`)
  }

  private reading(canary: number | null, baseline: number | null, verdict: FigureVerdict, reason: string): MetricReading {
    return { name: this.plan.name, canary, baseline, limit: this.limit, verdict, reason, isUntold: this.isUntold }
  }

  private get limit(): string {
    const { min, max } = this.plan
    const parts = [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`]
    return parts.filter((part) => part !== '').join(', ') || 'a number'
  }

  private isOutside(value: number): boolean {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = this.plan
    return value < min || value > max
  }

  /** The number, or why there is none; null: it is too early. Whoever tells it may never end, whatever its signal says. */
  private async read(side: Side, signal: AbortSignal): Promise<number | string | null> {
    try {
      return await Promise.race([this.options.source.tell(side, signal), aborted(signal)])
    } catch (error) {
      return isLbError(error) && error.code === 'LB_METRIC_UNTOLD' ? error.message : `no answer: ${messageOf(error)}`
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(signal.reason as Error)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}
