import type { JudgePlan } from '../../topology/index.js'
import type { FigureVerdict, JudgeFigure, JudgeReport } from '../rollout-status.js'
import type { Circumstances, Figure } from './figure.js'
import { figuresOf } from './figures-of.js'
import type { GoldenOutcome } from './golden-run.js'
import type { JudgeSample } from './judge-sample.js'
import { isLike } from './is-like.js'
import { LoadRatio } from './load-ratio.js'
import type { MetricReading } from './metric-watch.js'
import { WarmUp } from './warm-up.js'

export interface KeptJudge {
  readonly requests: Readonly<Record<JudgeSample['side'], number>>
  readonly figures: Readonly<Record<string, object>>
}

/** Whoever waited for the nodes of a step comes at once, and once more when all of them are answered. */
const crowdMs = 2_000

/**
 * Says whether a new revision is worse than the old one, after every request. An equal revision is called worse with `plan.falseAlarmRate` at most, over a
 * whole rollout and however often this is asked (evidence.ts). What was called bad stays bad. Knows nothing of time: whoever asks decides when it is enough.
 */
export class Judge {
  private readonly figures: readonly Figure[]
  /** Golden prompts, metrics, and faults: figures that are told as a whole. */
  private readonly told = new Map<string, JudgeFigure>()
  /** Metrics of which no number has come. */
  private readonly untold = new Set<string>()
  private readonly requests = { canary: 0, baseline: 0 }
  private readonly load = new LoadRatio()
  private readonly warmUp = new WarmUp()
  /** When steps began, in order. */
  private readonly steps: number[] = []
  /** Why it is bad, with the figures as they were then. */
  private sentence: string | undefined

  constructor(private readonly plan: JudgePlan) {
    this.figures = figuresOf(plan)
  }

  get isBad(): boolean {
    return this.sentence !== undefined
  }

  /** Shares have just changed; epoch. Requests are compared with those that began in the same step. The first one begins with the new revision's first request. */
  step(atMs: number): void {
    this.steps.push(atMs)
  }

  add(sample: JudgeSample): void {
    if (!sample.refused) this.requests[sample.side] += 1
    const circumstances = this.circumstancesOf(sample)
    for (const figure of this.figures) {
      figure.add(sample, circumstances)
      if (figure.isBad) this.condemn(figure.inWords())
    }
  }

  /** A fault of the new revision that needs no comparing: it does not start, serves another model, reads a smaller context. */
  fault(name: string, message: string): void {
    this.told.set(name, { name, canary: null, baseline: null, unit: 'count', limit: 'none', verdict: 'bad' })
    this.condemn(message)
  }

  golden(outcome: GoldenOutcome): void {
    const { asked, passed, firstFailure } = outcome
    const verdict = passed === asked ? 'good' : 'bad'
    this.told.set('golden', { name: 'golden', canary: passed, baseline: null, unit: 'count', limit: `all ${asked}`, verdict })
    if (firstFailure !== null) this.condemn(`golden: ${passed} of ${asked} prompts passed; ${firstFailure}`)
  }

  /** Also of the old revision, where the metric is told for each. */
  metric(reading: MetricReading): void {
    const { name, canary, baseline, limit, verdict, reason, isUntold } = reading
    this.told.set(name, { name, canary, baseline, unit: 'number', limit, verdict })
    if (isUntold) this.untold.add(name)
    else this.untold.delete(name)
    if (verdict === 'bad') this.condemn(reason)
  }

  /** Plain data, bounded: what was seen of requests so far. Golden prompts and metrics are asked again. */
  kept(): KeptJudge {
    return {
      requests: { ...this.requests },
      figures: Object.fromEntries(this.figures.map((figure) => [figure.describe().name, figure.kept()])),
    }
  }

  /** Goes on from what a judge of the same plan has kept; false, and nothing has changed: that is not it. Before the first request. */
  takeUp(kept: unknown): boolean {
    if (!isLike(kept, this.kept())) return false
    const { requests, figures } = kept as KeptJudge
    Object.assign(this.requests, requests)
    for (const figure of this.figures) figure.takeUp(figures[figure.describe().name] as object)
    return true
  }

  report(): JudgeReport {
    const { canary: canaryRequests, baseline: baselineRequests } = this.requests
    const figures = [...this.figures.map((figure) => this.judged(figure)), ...this.told.values()]
    return { ...this.verdict(), canaryRequests, baselineRequests, figures }
  }

  /** No more will come: too few requests are a failure, as is a metric without a number, and a suspicion that never became evidence is none. */
  finalVerdict(): JudgeReport {
    const report = this.report()
    if (report.verdict !== 'undecided') return report
    if (!this.hasEnough) return { ...report, verdict: 'bad', reason: `too few requests: ${this.counts()}${this.suspicion()}` }
    const [untold] = this.untold
    if (untold !== undefined) return { ...report, verdict: 'bad', reason: `${untold}: no number was told` }
    return { ...report, verdict: 'good', reason: null }
  }

  private circumstancesOf(sample: JudgeSample): Circumstances {
    const { side, startedAtMs } = sample
    if (startedAtMs !== null && side === 'canary' && this.steps.length === 0) this.steps.push(startedAtMs)
    const step = startedAtMs === null ? this.steps.length : this.steps.findLastIndex((atMs) => atMs <= startedAtMs) + 1
    this.load.add(sample, step)
    const isEarly = (startedAtMs ?? 0) < (this.steps[step - 1] ?? 0) + crowdMs
    return { step, isEarly, isWarmingUp: this.warmUp.isOf(sample), load: this.load.log }
  }

  private verdict(): Pick<JudgeReport, 'verdict' | 'reason'> {
    if (this.sentence !== undefined) return { verdict: 'bad', reason: this.sentence }
    if (!this.hasEnough) return { verdict: 'undecided', reason: `waits for requests: ${this.counts()}` }
    const { suspect } = this
    if (suspect !== undefined) return { verdict: 'undecided', reason: `looks worse, may be chance: ${suspect.inWords()}` }
    const missing = [...this.told.values()].find(({ verdict }) => verdict === 'undecided')
    if (missing !== undefined) return { verdict: 'undecided', reason: `waits for ${missing.name}` }
    return { verdict: 'good', reason: null }
  }

  private judged(figure: Figure): JudgeFigure {
    const told = figure.describe()
    const isOpen = !this.hasEnough || figure.isSuspicious || told.canary === null
    const verdict: FigureVerdict = figure.isBad ? 'bad' : isOpen ? 'undecided' : 'good'
    return { ...told, verdict }
  }

  private get suspect(): Figure | undefined {
    return this.figures.find(({ isSuspicious }) => isSuspicious)
  }

  /** Where a handful fail and all others wait for the old revision, no more will come; what those few say is why. */
  private suspicion(): string {
    const { suspect } = this
    return suspect === undefined ? '' : `; those few look worse: ${suspect.inWords()}`
  }

  private get hasEnough(): boolean {
    return Math.min(this.requests.canary, this.requests.baseline) >= this.plan.minSamples
  }

  private counts(): string {
    return `${this.requests.canary} on the new revision and ${this.requests.baseline} on the old one, ${this.plan.minSamples} are needed on each`
  }

  private condemn(reason: string): void {
    this.sentence ??= reason
  }
}
