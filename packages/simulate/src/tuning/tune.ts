import { createStrategyRegistry, LbError } from '@plimsoll/core/routing'
import { simulate } from '../simulate.js'
import type { SimulationOptions, StrategyChoice } from '../simulation-options.js'
import { streamOf } from '../workloads/draws.js'
import type { WorkloadRequestOptions, WorkloadSource } from '../workloads/workload-source.js'
import { ratioInterval, type RatioInterval } from './ratio-interval.js'
import { searchSpace, type SearchSpace } from './search-space.js'

/** What a search makes small: time to the first token, time to the last, or both alike. */
export type TuneGoal = 'ttft' | 'e2e' | 'both'

export interface TuneOptions extends Omit<SimulationOptions, 'workload' | 'strategy' | 'seed'> {
  readonly source: WorkloadSource
  /** Settings are where the search starts. */
  readonly strategies: readonly StrategyChoice[]
  /** What all is compared with. */
  readonly baseline: StrategyChoice
  readonly goal: TuneGoal
  /** Settings to try, over all strategies; each takes two runs. */
  readonly tries: number
  /** Pairs of runs at the end, on requests that the search has not seen. */
  readonly judges: number
  readonly seed: number
  readonly requests?: number
  /** Names of the settings to search; default: all that are no facts about machines. */
  readonly only?: readonly string[]
  readonly onRun?: (done: number, of: number, what: string) => void
}

export interface TunedStrategy extends StrategyChoice {
  readonly settings: Readonly<Record<string, unknown>>
  /** Settings that were tried. */
  readonly tries: number
  /** On the requests of the search, to the baseline: below 1 is better. */
  readonly score: number
}

export interface TuneResult {
  /** Best first, as the search saw it. */
  readonly strategies: readonly TunedStrategy[]
  /** The first of them against the baseline on requests that the search has not seen. */
  readonly judged: { readonly p90Ttft: RatioInterval; readonly meanE2e: RatioInterval; readonly pairs: number }
  /** Something of the goal gains for certain, as far as the intervals go, and nothing of it loses for certain. */
  readonly gains: boolean
}

/** Figures of one run. */
interface Figures {
  readonly p90Ttft: number
  readonly meanE2e: number
}

const SEARCH_RUNS = 2
/** Of a trace's stretch; with fewer a 90th percentile is a matter of luck. */
const LEAST_REQUESTS = 300
const FEWEST_JUDGES = 3
/** What changes less than this is nobody's gain or loss, however certain it is. */
const MATTERS = 0.99

/**
 * Searches settings within a budget of tries, then judges the best of them once, on other requests: the search picks what was lucky on its own, so its own
 * score says too much. A generated workload has other requests by its seed; of a trace the first half is for the search and the second for judging. The
 * same options give the same result. Throws LB_TUNE_TOO_SHORT, LB_TUNE_NOTHING.
 */
export async function tune(options: TuneOptions): Promise<TuneResult> {
  const { search, judge } = samplesOf(options)
  const runner = new Runner(options, search.length * (options.tries + 1) + 2 * judge.length)
  const baseline = await runner.all(options.baseline, search)
  const strategies: TunedStrategy[] = []
  for (const [at, strategy] of options.strategies.entries()) {
    const share = Math.floor(options.tries / options.strategies.length) + (at < options.tries % options.strategies.length ? 1 : 0)
    strategies.push(await searchOne({ strategy, tries: Math.max(1, share), options, runner, search, baseline }))
  }
  strategies.sort((one, other) => one.score - other.score)
  const [best] = strategies
  const judged = await judgeOne(runner, judge, best ?? options.baseline, options.baseline)
  const wanted = { ttft: [judged.p90Ttft], e2e: [judged.meanE2e], both: [judged.p90Ttft, judged.meanE2e] }[options.goal]
  return { strategies, judged, gains: goalIsMet(wanted) }
}

/** One gains for certain and by what matters, and none loses so. */
function goalIsMet(wanted: readonly RatioInterval[]): boolean {
  return wanted.some(({ ratio, high }) => high < 1 && ratio < MATTERS) && wanted.every(({ ratio, low }) => low <= 1 || ratio < 1 / MATTERS)
}

interface SearchTask {
  readonly strategy: StrategyChoice
  readonly tries: number
  readonly options: TuneOptions
  readonly runner: Runner
  readonly search: readonly WorkloadRequestOptions[]
  readonly baseline: readonly Figures[]
}

/** From the best settings so far to others near them, while tries are left. */
async function searchOne({ strategy, tries, options, runner, search, baseline }: SearchTask): Promise<TunedStrategy> {
  const random = streamOf(options.seed, `tune ${strategy.name}`)
  const space = spaceOf(strategy, options)
  let settings = strategy.settings ?? {}
  let score = scoreOf(await runner.all({ ...strategy, settings }, search), baseline, options.goal)
  let tried = 1
  for (; tried < tries && space.keys.length > 0; tried++) {
    const next = space.near(settings, random)
    const found = scoreOf(await runner.all({ ...strategy, settings: next }, search), baseline, options.goal)
    if (found >= score) continue
    settings = next
    score = found
  }
  return { name: strategy.name, settings, tries: tried, score }
}

function spaceOf({ name }: StrategyChoice, { only, registry = createStrategyRegistry() }: TuneOptions): SearchSpace {
  const space = searchSpace(registry.find(name)?.settings ?? {}, only)
  if (only === undefined || space.keys.length > 0) return space
  throw new LbError(`${name} has no setting ${only.join(', ')} that could be searched`, {
    code: 'LB_TUNE_NOTHING',
    source: 'operator',
    hint: 'lb strategies --json shows what can be set',
  })
}

/** Geometric mean of what counts, to the baseline. */
function scoreOf(found: readonly Figures[], baseline: readonly Figures[], goal: TuneGoal): number {
  const ratioOf = (of: (figures: Figures) => number): number =>
    ratioInterval(found.map((figures, at) => [of(figures), of(baseline[at] ?? figures)] as const)).ratio
  const [ttft, e2e] = [ratioOf(({ p90Ttft }) => p90Ttft), ratioOf(({ meanE2e }) => meanE2e)]
  return { ttft, e2e, both: Math.sqrt(ttft * e2e) }[goal]
}

async function judgeOne(
  runner: Runner,
  judge: readonly WorkloadRequestOptions[],
  best: StrategyChoice,
  baseline: StrategyChoice,
): Promise<TuneResult['judged']> {
  const found = await runner.all(best, judge)
  const before = await runner.all(baseline, judge)
  const pairs = (of: (figures: Figures) => number) => found.map((figures, at) => [of(figures), of(before[at] ?? figures)] as const)
  return {
    p90Ttft: ratioInterval(pairs(({ p90Ttft }) => p90Ttft)),
    meanE2e: ratioInterval(pairs(({ meanE2e }) => meanE2e)),
    pairs: judge.length,
  }
}

/** Which requests are for the search and which for judging. No request is in both. */
function samplesOf({ source, seed, judges, requests }: TuneOptions): Record<'search' | 'judge', readonly WorkloadRequestOptions[]> {
  const cap = requests === undefined ? {} : { requests }
  if (source.requests === undefined) {
    const sample = (at: number) => ({ seed: 1000 * (seed + 1) + at, ...cap })
    return {
      search: Array.from({ length: SEARCH_RUNS }, (_, at) => sample(at)),
      judge: Array.from({ length: judges }, (_, at) => sample(SEARCH_RUNS + at)),
    }
  }
  const pairs = Math.min(judges, Math.floor(source.requests / 2 / LEAST_REQUESTS))
  if (pairs < FEWEST_JUDGES) {
    const least = 2 * FEWEST_JUDGES * LEAST_REQUESTS
    throw new LbError(`${source.requests} requests are too few to tune on`, {
      code: 'LB_TUNE_TOO_SHORT',
      source: 'operator',
      hint: `${least} are the least; a longer log tells more`,
    })
  }
  const parts = (from: number, count: number): WorkloadRequestOptions[] =>
    Array.from({ length: count }, (_, at) => ({ seed: seed + at, part: [from + at / 2 / count, from + (at + 1) / 2 / count], ...cap }))
  return { search: parts(0, SEARCH_RUNS), judge: parts(0.5, pairs) }
}

class Runner {
  private done = 0

  constructor(
    private readonly options: TuneOptions,
    private readonly planned: number,
  ) {}

  /** One run for each sample. Between two the process can be interrupted. */
  async all(strategy: StrategyChoice, samples: readonly WorkloadRequestOptions[]): Promise<Figures[]> {
    const { source, strategies: _, baseline: _baseline, onRun, seed, requests: _requests, only: _only, ...common } = this.options
    const found: Figures[] = []
    for (const sample of samples) {
      onRun?.(this.done++, this.planned, strategy.name)
      await new Promise((resolve) => setImmediate(resolve))
      const { ttftMs, e2eMs } = simulate({ ...common, workload: source.workload(sample), strategy, seed: seed + sample.seed })
      found.push({ p90Ttft: ttftMs.p90, meanE2e: e2eMs.mean })
    }
    return found
  }
}
