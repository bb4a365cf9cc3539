/** What a load came to: how many answers ended how, and how long they took. */
import type { Answered, AnswerKind } from './client.js'
import type { Work } from './engines.js'

export interface Tally {
  readonly n: number
  readonly whole: number
  /** All that are not whole. */
  readonly failed: number
  readonly kinds: Readonly<Partial<Record<AnswerKind, number>>>
  readonly hung: number
  readonly fakeDone: number
  /** In answers that looked whole. */
  readonly lostCharacters: number
  readonly doubledCharacters: number
  /** Answers that more than one node was asked for. */
  readonly moved: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly longestMs: number
  /** From the request to its end, of those that moved; NaN where none did. */
  readonly movedP99Ms: number
  /** A few of the failures, for people. */
  readonly examples: readonly string[]
}

export function tally(answers: readonly Answered[]): Tally {
  const kinds: Partial<Record<AnswerKind, number>> = {}
  for (const { kind } of answers) kinds[kind] = (kinds[kind] ?? 0) + 1
  const whole = kinds.whole ?? 0
  const failed = answers.filter(({ kind }) => kind !== 'whole')
  const wrong = answers.filter(({ kind }) => kind === 'wrong')
  const moved = answers.filter(({ attempts }) => attempts > 1)
  const tookMs = answers.map(duration)
  return {
    n: answers.length,
    whole,
    failed: failed.length,
    kinds,
    hung: kinds.hung ?? 0,
    fakeDone: answers.filter(({ fakeDone }) => fakeDone).length,
    lostCharacters: sum(wrong.map(({ difference }) => difference.lost)),
    doubledCharacters: sum(wrong.map(({ difference }) => difference.doubled)),
    moved: moved.length,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    longestMs: Math.max(...tookMs),
    movedP99Ms: quantile(moved.map(duration), 0.99),
    examples: failed.slice(0, 5).map(({ kind, status, node, said }) => `${kind} ${status} ${node ?? ''} ${said}`.slice(0, 300)),
  }
}

export interface Duplicated {
  /** Requests that engines began beyond the first of each. */
  readonly requests: number
  /** Tokens that engines computed and nobody was given. */
  readonly tokens: number
  /** Of all tokens that they computed. */
  readonly tokenShare: number
}

/** What the engines did beyond what clients got of it. `tokensOf`: of the right answer to the request of this number. */
export function duplicated(answers: readonly Answered[], tokensOf: (index: number) => number, work: Work): Duplicated {
  const delivered = sum(answers.map(({ kind }, index) => (kind === 'whole' ? tokensOf(index) : 0)))
  const tokens = Math.max(0, work.tokens - delivered)
  return { requests: Math.max(0, work.requests - answers.length), tokens, tokenShare: work.tokens === 0 ? 0 : tokens / work.tokens }
}

const duration = ({ startedAtMs, endedAtMs }: Answered): number => endedAtMs - startedAtMs

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
