import type {
  Candidate,
  JsonSchema,
  NodeBelief,
  RequestFacts,
  RoutingEvent,
  Strategy,
  StrategyContext,
  StrategyPlugin,
  TraceSink,
} from '../../contracts/index.js'
import { LbError } from '../../errors/index.js'
import { CostRow } from '../cost-row.js'
import { numberSetting, settingsSchema } from '../settings.js'
import { filterInto, filterSettings, type FilterSettings } from './filters.js'
import { pickers, type Picker } from './pickers.js'
import type { ScoredScene, Scorer } from './scorer.js'
import { scorers } from './scorers.js'

interface ScoredSettings {
  readonly filters?: FilterSettings
  readonly scorers?: Readonly<Record<string, number>>
  readonly picker?: keyof typeof pickers
  readonly tokenLoadTokens?: number
  readonly loadAwareRequests?: number
  readonly maxPollAgeMs?: number
}

const WEIGHTS = { queue: 2, 'kv-utilization': 2, prefix: 3 }
const TOKEN_LOAD_TOKENS = 4_194_304
const LOAD_AWARE_REQUESTS = 128
const MAX_POLL_AGE_MS = 5_000

const weights: JsonSchema = {
  ...settingsSchema(
    Object.fromEntries(Object.entries(scorers).map(([name, { description }]) => [name, numberSetting({ from: 0, to: 1e6 }, description)])),
  ),
  default: WEIGHTS,
  description: 'Which views count, each from 0 to 1, times its weight. Given, it replaces the default whole.',
}

const settings: JsonSchema = settingsSchema({
  filters: filterSettings,
  scorers: weights,
  picker: {
    enum: Object.keys(pickers),
    default: 'max',
    description:
      'The highest sum, by chance among equals; by chance in proportion to the sum; or the highest, the first in order among equals.',
  },
  tokenLoadTokens: numberSetting({ from: 1, to: 1e12, or: TOKEN_LOAD_TOKENS }, 'Tokens in flight at which `token-load` is 0.'),
  loadAwareRequests: numberSetting({ from: 1, to: 1e6, or: LOAD_AWARE_REQUESTS }, 'Waiting requests at which `load-aware` is 0.'),
  maxPollAgeMs: numberSetting(
    { from: 0, to: 3.6e6, or: MAX_POLL_AGE_MS },
    'What an engine said longer ago, in ms, counts no more; our own counts always do.',
  ),
})

/**
 * For those who want to weigh for themselves: filters, then scorers of 0 to 1 with weights, then a picker: the grammar of the llm-d inference scheduler
 * (v0.8.0), with its scorers, formulas and default weights. A weight that suits one load misleads another; strategies that count in ms need none.
 */
export const scored: StrategyPlugin<ScoredSettings> = {
  name: 'scored',
  summary:
    'The highest sum of weighted scores: queue, KV cache, prefix and others of your choice. For those who know what they want to weigh.',
  settings,
  create: (context) => new Scored(context),
}

interface WeightedScorer {
  readonly name: string
  readonly weight: number
  readonly scorer: Scorer
}

class Scored implements Strategy {
  private readonly parts: readonly WeightedScorer[]
  private readonly filters: FilterSettings
  private readonly picker: Picker
  private readonly maxPollAgeMs: number
  private readonly part = new CostRow()
  private readonly sums = new CostRow()
  private left = new Uint8Array(16)
  private readonly beliefs: NodeBelief[] = []

  constructor(private readonly context: StrategyContext<ScoredSettings>) {
    const { scorers: given = WEIGHTS, filters = {}, picker = 'max', maxPollAgeMs = MAX_POLL_AGE_MS, ...limits } = context.settings
    const sizes = { tokenLoadTokens: TOKEN_LOAD_TOKENS, loadAwareRequests: LOAD_AWARE_REQUESTS, ...limits }
    this.parts = Object.entries(given).map(([name, weight]) => ({ name, weight, scorer: scorerOf(name).create(sizes) }))
    this.filters = filters
    this.picker = pickers[picker]
    this.maxPollAgeMs = maxPollAgeMs
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const { random } = this.context
    const scene = this.look(facts, candidates)
    if (this.left.length < candidates.length) this.left = new Uint8Array(2 * candidates.length)
    filterInto(this.left, scene, this.filters, random)
    const sums = this.sums.of(candidates.length).fill(0, 0, candidates.length)
    const part = this.part.of(candidates.length)
    for (const { weight, scorer } of this.parts) {
      scorer.score(scene, part)
      for (let position = 0; position < candidates.length; position += 1)
        sums[position] = (sums[position] ?? 0) + weight * (part[position] ?? 0)
    }
    for (let position = 0; position < candidates.length; position += 1) if (this.left[position] === 0) sums[position] = -1
    const chosen = this.picker(sums, candidates, random)
    if (trace !== undefined) this.explain(scene, chosen, trace)
    return chosen
  }

  observe(event: RoutingEvent): void {
    for (const { scorer } of this.parts) scorer.observe?.(event)
  }

  private look(facts: RequestFacts, candidates: readonly Candidate[]): ScoredScene {
    const { belief, clock } = this.context
    const { beliefs } = this
    beliefs.length = candidates.length
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node !== undefined) beliefs[position] = belief.of(node)
    }
    const nowMs = clock.nowMs()
    return { facts, candidates, beliefs, match: belief.cachedTokens(facts, candidates), nowMs, oldestPollMs: nowMs - this.maxPollAgeMs }
  }

  private explain(scene: ScoredScene, chosen: number, trace: TraceSink): void {
    const { candidates } = scene
    const terms: Record<string, number>[] = candidates.map(() => ({}))
    const part = new Float64Array(candidates.length)
    let [reason, largestLead] = ['it is alike to the others', 1e-9]
    for (const { name, weight, scorer } of this.parts) {
      scorer.score(scene, part)
      for (const [position, term] of terms.entries()) term[name] = weight * (part[position] ?? 0)
      const mean = part.reduce((sum, score) => sum + score, 0) / part.length
      const lead = weight * ((part[chosen] ?? 0) - mean)
      if (lead <= largestLead) continue
      largestLead = lead
      reason = `its ${name} score of ${(part[chosen] ?? 0).toFixed(2)} is above the mean of ${mean.toFixed(2)}`
    }
    trace.unit('score', 'highest')
    for (const [position, term] of terms.entries()) trace.cost(position, this.left[position] === 0 ? { ...term, filtered: 1 } : term)
    trace.because(reason)
  }
}

/** The schema refuses an unknown name before; a library's caller may not have asked it. */
function scorerOf(name: string): (typeof scorers)[string] {
  const found = scorers[name]
  if (found !== undefined) return found
  throw new LbError(`The strategy "scored" has no scorer "${name}".`, {
    code: 'LB_SCORER_UNKNOWN',
    source: 'operator',
    hint: `Known: ${Object.keys(scorers).join(', ')}.`,
  })
}
