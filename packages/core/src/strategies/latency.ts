import type { Candidate, RequestFacts, RoutingEvent, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { CostRow } from './cost-row.js'
import { DecayingMean } from './decaying-mean.js'
import { NodeTable } from './node-table.js'
import { numberSetting, settingsSchema } from './settings.js'
import { drawByWeight } from './weighted-draw.js'

interface LatencySettings {
  readonly windowMs?: number
  readonly buffer?: number
  readonly explore?: number
  readonly minSamples?: number
  readonly failureMsPerToken?: number
}

const WINDOW_MS = 600_000
const BUFFER = 0.1
const EXPLORE = 0.1
const MIN_SAMPLES = 3
const FAILURE_MS_PER_TOKEN = 1_000

/**
 * For nodes that differ in speed and whose queues are not ours alone, such as hosted providers: by chance among those whose time per output token, over
 * a moving window, is close to the best (as LiteLLM's latency routing has it, there over the last ten samples). It looks back, not at what is in flight:
 * prompts that pile up at the fastest node are seen only when they end. A node that is not measured, or no more, gets a bounded share until it is.
 */
export const latency: StrategyPlugin<LatencySettings> = {
  name: 'latency',
  summary:
    'By chance among the nodes whose measured time per output token is close to the best. Good for providers that others use too; slow to see a queue that grows.',
  settings: settingsSchema({
    windowMs: numberSetting(
      { from: 300_000, to: 900_000, or: WINDOW_MS },
      'Age in ms at which an answer counts for a third of a fresh one.',
    ),
    buffer: numberSetting(
      { from: 0, to: 10, or: BUFFER },
      'How far above the best a node may be, as a share of the best, and still be drawn.',
    ),
    explore: numberSetting(
      { from: 0, to: 1, or: EXPLORE },
      'Largest share of requests that go to nodes without enough answers to judge them.',
    ),
    minSamples: numberSetting(
      { from: 1, to: 1_000, or: MIN_SAMPLES },
      'Answers inside the window from which on a node counts as measured.',
    ),
    failureMsPerToken: numberSetting(
      { from: 0, to: 1e6, or: FAILURE_MS_PER_TOKEN },
      'What a failed request or a time-out counts as, in ms for each output token that was expected.',
    ),
  }),
  create: (context) => new Latency(context),
}

class Latency implements Strategy {
  private readonly windowMs: number
  private readonly buffer: number
  private readonly explore: number
  private readonly minSamples: number
  private readonly failureMsPerToken: number
  private readonly nodes: NodeTable<DecayingMean>
  /** Ms per output token of each candidate; NaN = not measured. */
  private readonly row = new CostRow()

  constructor(private readonly context: StrategyContext<LatencySettings>) {
    const { settings } = context
    this.windowMs = settings.windowMs ?? WINDOW_MS
    this.buffer = settings.buffer ?? BUFFER
    this.explore = settings.explore ?? EXPLORE
    this.minSamples = settings.minSamples ?? MIN_SAMPLES
    this.failureMsPerToken = settings.failureMsPerToken ?? FAILURE_MS_PER_TOKEN
    this.nodes = new NodeTable(() => new DecayingMean(this.windowMs))
  }

  pick(_facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const { random } = this.context
    const means = this.row.of(candidates.length)
    const { measured, best } = this.measure(candidates, means)
    const limit = best * (1 + this.buffer)
    const unmeasured = candidates.length - measured
    const share = Math.min(this.explore, unmeasured / candidates.length)
    const isExploring = measured === 0 || (share > 0 && random.next() < share)
    const may = isExploring ? (at: number) => Number.isNaN(means[at]) : (at: number) => (means[at] ?? NaN) <= limit
    const chosen = drawByWeight(candidates, may, random)
    if (trace !== undefined) this.explain({ means, candidates, isExploring }, trace)
    return chosen
  }

  observe(event: RoutingEvent): void {
    if (event.kind === 'node-gone') return this.nodes.forget(event)
    if (event.kind !== 'settled' || event.outcome === 'cancelled') return
    const { outcome, facts, totalMs, atMs } = event
    const mean = this.nodes.known(event.node)
    const expected = Math.max(1, facts.outputTokens)
    if (outcome === 'failed') mean?.add(Math.max(totalMs, this.failureMsPerToken * expected), expected, atMs)
    else mean?.add(totalMs, Math.max(1, event.outputTokens), atMs)
  }

  private measure(candidates: readonly Candidate[], means: Float64Array): { measured: number; best: number } {
    const nowMs = this.context.clock.nowMs()
    let measured = 0
    let best = Infinity
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      const known = node === undefined ? undefined : this.nodes.of(node)
      // What has faded counts as unknown, so that a node that was bad is tried again.
      const isMeasured = known !== undefined && known.samplesAt(nowMs) >= this.minSamples * STILL_MEASURED
      const mean = isMeasured ? known.mean : NaN
      means[position] = mean
      if (!isMeasured) continue
      measured += 1
      best = Math.min(best, mean)
    }
    return { measured, best }
  }

  private explain(choice: { means: Float64Array; candidates: readonly Candidate[]; isExploring: boolean }, trace: TraceSink): void {
    const nowMs = this.context.clock.nowMs()
    trace.unit('ms per output token', 'lowest')
    for (const [position, node] of choice.candidates.entries()) {
      const known = this.nodes.of(node)
      const samples = known.samplesAt(nowMs)
      trace.cost(position, samples === 0 ? { samples } : { msPerToken: known.mean, samples })
    }
    trace.because(
      choice.isExploring ? 'it has too few answers to be judged' : `it is within ${Math.round(100 * this.buffer)} % of the best measured`,
    )
  }
}

/** Samples fade between two answers of a busy node too: a little below the wanted number still counts. */
const STILL_MEASURED = 0.9
