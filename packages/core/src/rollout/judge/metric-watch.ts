import type { Clock, TimerHandle } from '../../base/index.js'
import { messageOf } from '../../errors/index.js'
import type { MetricPlan } from '../../topology/index.js'
import type { FigureVerdict } from '../rollout-status.js'

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
}

/** Asks for a URL's text; rejects where none comes. */
export type MetricFetch = (url: string, signal: AbortSignal) => Promise<string>

export interface MetricWatchOptions {
  readonly clock: Clock
  readonly fetch: MetricFetch
  readonly sides: { readonly old: string; readonly new: string }
  readonly onReading: (reading: MetricReading) => void
}

/** An answer takes no longer. */
const limitMs = 10_000

/** Asks for one metric as often as its plan says, for as long as a rollout is watched. An answer that is none counts as bad: no data is a failure. */
export class MetricWatch {
  private bad = 0
  private timer: TimerHandle | undefined
  private asking: AbortController | undefined

  constructor(
    private readonly plan: MetricPlan,
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
    const { clock, sides, onReading } = this.options
    const asking = new AbortController()
    this.asking = asking
    const limit = clock.after(limitMs, () => asking.abort(new Error(`no answer within ${limitMs / 1000} s`)))
    const reading = await this.read(sides.new, asking.signal)
    const baseline = this.isForEach ? await this.read(sides.old, asking.signal) : undefined
    limit.cancel()
    if (this.asking !== asking) return
    this.timer = clock.after(this.plan.everyMs, () => void this.round())
    onReading(this.judged(reading, typeof baseline === 'number' ? baseline : null))
  }

  private judged(value: number | string, baseline: number | null): MetricReading {
    const { name, failures } = this.plan
    const wrong = typeof value === 'string' ? value : this.isOutside(value) ? `is ${value}` : undefined
    const canary = typeof value === 'string' ? null : value
    if (wrong === undefined) return this.reading(canary, baseline, 'good', '')
    this.bad += 1
    const borne = failures === 0 ? '' : `, ${this.bad} bad answers and ${failures} are borne`
    return this.reading(canary, baseline, this.bad > failures ? 'bad' : 'undecided', `${name}: ${wrong} (${this.limit}${borne})`)
  }

  private reading(canary: number | null, baseline: number | null, verdict: FigureVerdict, reason: string): MetricReading {
    return { name: this.plan.name, canary, baseline, limit: this.limit, verdict, reason }
  }

  private get isForEach(): boolean {
    return this.plan.url.includes('{revision}')
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

  /** The number, or why there is none. */
  private async read(revision: string, signal: AbortSignal): Promise<number | string> {
    try {
      const text = await this.options.fetch(this.plan.url.replaceAll('{revision}', encodeURIComponent(revision)), signal)
      return numberIn(text, this.plan.path) ?? `no number${this.plan.path === undefined ? '' : ` at ${this.plan.path}`} in the answer`
    } catch (error) {
      return `no answer: ${messageOf(error)}`
    }
  }
}

/** A number, or one in quotes as Prometheus writes them. */
function numberIn(text: string, path: string | undefined): number | undefined {
  let value: unknown = text
  if (path !== undefined) {
    try {
      value = JSON.parse(text)
    } catch {
      return undefined
    }
    for (const step of path.split('.')) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
      value = (value as Record<string, unknown>)[step]
    }
  }
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : undefined
}
