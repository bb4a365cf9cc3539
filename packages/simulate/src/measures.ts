import { percentilesOf, rounded } from './percentiles.js'
import type { NodeResult, SimulationResult } from './simulation-result.js'

/** One answered request. */
export interface Answered {
  /** That answered, by place in the list of nodes. */
  readonly node: number
  readonly sentMs: number
  readonly firstTokenMs: number
  readonly endMs: number
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

type Figures = Pick<
  SimulationResult,
  'requests' | 'ttftMs' | 'tpotMs' | 'e2eMs' | 'cachedTokenShare' | 'inObjectiveShare' | 'outputTokensPerSecond'
>

/** Collects answers and says what they were like. */
export class Measures {
  private readonly answers: Answered[] = []

  add(answer: Answered): void {
    this.answers.push(answer)
  }

  /** What each node answered, measured or not. */
  perNode(nodes: number): readonly NodeResult[] {
    const rows = Array.from({ length: nodes }, (_, node) => ({
      id: `n${node}`,
      requests: 0,
      promptTokens: 0,
      cachedTokens: 0,
      outputTokens: 0,
    }))
    for (const { node, promptTokens, cachedTokens, outputTokens } of this.answers) {
      const row = rows[node]
      if (row === undefined) continue
      row.requests++
      row.promptTokens += promptTokens
      row.cachedTokens += cachedTokens
      row.outputTokens += outputTokens
    }
    return rows
  }

  /**
   * Cuts the warm-up, as a share of the requests in order of sending, and what was sent after the last session began: the load fades there.
   */
  figures(warmupShare: number, lastStartMs: number, sloTtftMs = Infinity): Figures {
    const inTime = this.answers.filter(({ sentMs }) => sentMs <= lastStartMs).sort((one, other) => one.sentMs - other.sentMs)
    const measured = inTime.slice(Math.floor(warmupShare * inTime.length))
    const several = measured.filter(({ outputTokens }) => outputTokens > 1)
    const inObjective = measured.filter(({ firstTokenMs, sentMs }) => firstTokenMs - sentMs <= sloTtftMs)
    const promptTokens = total(measured, (answer) => answer.promptTokens)
    const spanMs = (measured.at(-1)?.sentMs ?? 0) - (measured[0]?.sentMs ?? 0)
    return {
      requests: measured.length,
      ttftMs: percentilesOf(Float64Array.from(measured, ({ firstTokenMs, sentMs }) => firstTokenMs - sentMs)),
      tpotMs: percentilesOf(
        Float64Array.from(several, ({ endMs, firstTokenMs, outputTokens }) => (endMs - firstTokenMs) / (outputTokens - 1)),
      ),
      e2eMs: percentilesOf(Float64Array.from(measured, ({ endMs, sentMs }) => endMs - sentMs)),
      cachedTokenShare: promptTokens === 0 ? 0 : rounded6(total(measured, (answer) => answer.cachedTokens) / promptTokens),
      inObjectiveShare: measured.length === 0 ? 1 : rounded6(inObjective.length / measured.length),
      outputTokensPerSecond: spanMs === 0 ? 0 : rounded((1000 * total(measured, (answer) => answer.outputTokens)) / spanMs),
    }
  }
}

function total(answers: readonly Answered[], of: (answer: Answered) => number): number {
  return answers.reduce((sum, answer) => sum + of(answer), 0)
}

function rounded6(value: number): number {
  return Math.round(1e6 * value) / 1e6
}
