import type { Decision, DecisionCandidate, WhyJson } from '@plimsoll/core'
import { sanitize } from './sanitize.js'
import { duration } from './units.js'

/** Candidates that are told of, at most; the chosen one is always among them. */
const SHOWN_CANDIDATES = 8
const LABEL_WIDTH = 15

/** How a request found its node, for people: a line about the request, then what was decided, try by try. */
export function whyLines(why: WhyJson): string[] {
  const { decisions } = why
  const [first] = decisions
  const tries = decisions.flatMap((decision) => decisionLines(decision, decisions.length > 1))
  const untraced = first === undefined ? ['', ...UNTRACED] : []
  return [headLine(why, first), ...tries, ...untraced].map((line) => sanitize(line).trimEnd())
}

const UNTRACED = [
  '  This request was not traced, so only its record is known. To see a decision:',
  '    send the request again with the header  x-lb-trace: 1  (from this machine, or with a key), then  lb why --last',
  '    or trace a share of all requests:  gateway.traceShare: 0.05',
]

function headLine({ id, record }: WhyJson, decision: Decision | undefined): string {
  const model = record?.model ?? decision?.model ?? 'unknown model'
  if (record === null) return [id, model, `${number(decision?.promptTokens ?? 0)} tok prompt`, 'still running'].join('   ')
  const expected = record.believed === undefined ? '' : `, ${number(record.believed.cachedTokens)} expected`
  const cached = record.cachedTokens === null ? '' : ` (${number(record.cachedTokens)} cached${expected})`
  const tokens = `${number(record.promptTokens)} tok prompt${cached} → ${number(record.completionTokens)} tok`
  const attempts = record.attempts.length
  const revision = record.attempts.at(-1)?.revision
  const where =
    record.node === null ? 'no node' : `${record.node}${revision === undefined ? '' : ` (${revision})`}, attempt ${Math.max(1, attempts)}`
  const times = [
    ...(record.inLineMs > 0 ? [`waited ${duration(record.inLineMs)}`] : []),
    ...(record.ttftMs === null ? [] : [`TTFT ${duration(record.ttftMs)}`]),
    `total ${duration(record.totalMs)}`,
  ]
  const ended = record.outcome === 'ok' ? [] : [`${record.outcome}${record.errorCode === null ? '' : ` (${record.errorCode})`}`]
  return [id, model, tokens, ...times, where, ...ended].join('   ')
}

function decisionLines(decision: Decision, numbered: boolean): string[] {
  const { candidates, leftOut, choice, attempt, decidedMs, because, unit, wins } = decision
  const short = shortener(decision.pool)
  const shown = shownCandidates(decision)
  const more = candidates.length - shown.length
  const out = leftOut.map(({ node, filter, reason }) => `${short(node)} (${filter}: ${reason})`)
  const names = [...shown.map(({ node }) => short(node)), ...(more > 0 ? [`and ${more} more`] : [])]
  const said = because.length === 0 ? '' : `, ${because[0]?.startsWith('by chance') === true ? '' : 'because '}${because.join('; ')}`
  const counted = wins === 'lowest' ? 'cost' : 'score'
  return [
    ...(numbered ? ['', `  try ${attempt}, ${duration(decidedMs)} after arrival`] : []),
    row('candidates', names.length === 0 ? 'none' : names.join('   ')),
    ...out.map((text, index) => row(index === 0 ? 'left out' : '', text)),
    ...row2(
      counted === unit ? counted : `${counted} in ${unit}`,
      shown.flatMap((candidate) => costOf(candidate, short)),
    ),
    row('strategy', `${decision.strategy}${decision.sessionFrom === null ? '' : `, conversation named by ${decision.sessionFrom}`}`),
    row(
      'so',
      choice === null ? `${candidates.length === 0 ? 'no node' : 'none now: the request waits'}${said}` : `${short(choice)}${said}`,
    ),
    ...otherwise(decision, short),
  ]
}

/** What taking turns would have done, and what that would have cost by the strategy's own count. */
function otherwise({ roundRobin, choice, candidates, unit, wins }: Decision, short: (id: string) => string): string[] {
  if (roundRobin === null || choice === null) return []
  if (roundRobin === choice) return [row('otherwise', 'round-robin would have taken it too')]
  const [ours, theirs] = [choice, roundRobin].map((id) => totalOf(candidates.find(({ node }) => node === id)))
  const difference = ours === undefined || theirs === undefined ? undefined : theirs - ours
  const about =
    difference === undefined
      ? ''
      : difference === 0
        ? ' (at the same cost)'
        : ` (about ${difference < 0 ? '-' : '+'}${amount(Math.abs(difference))} ${unit}${wins === 'highest' ? ', more is better' : ''})`
  return [row('otherwise', `round-robin would have taken ${short(roundRobin)}${about}`)]
}

/** The best ones by cost; the chosen one first. */
function shownCandidates({ candidates, choice, wins }: Decision): DecisionCandidate[] {
  const sign = wins === 'lowest' ? 1 : -1
  const place = (candidate: DecisionCandidate): number =>
    candidate.node === choice ? Number.NEGATIVE_INFINITY : sign * (totalOf(candidate) ?? 0)
  return candidates.toSorted((a, b) => place(a) - place(b)).slice(0, SHOWN_CANDIDATES)
}

function costOf({ node, terms, inFlight, cachedTokens }: DecisionCandidate, short: (id: string) => string): string[] {
  const seen = `${number(inFlight)} in flight${cachedTokens === 0 ? '' : `, ${number(cachedTokens)} tok of the prompt cached`}`
  const parts = Object.entries(terms ?? {})
  if (parts.length === 0) return [`${short(node)}   ${seen}`]
  const sum = parts.map(([name, value]) => `${name} ${amount(value)}`).join(' + ')
  const total = parts.length > 1 ? ` = ${amount(totalOf({ terms }) ?? 0)}` : ''
  return [`${short(node)} = ${sum}${total}   ${seen}`]
}

function totalOf(candidate: Pick<DecisionCandidate, 'terms'> | undefined): number | undefined {
  if (candidate?.terms === null || candidate === undefined) return undefined
  return Object.values(candidate.terms).reduce((sum, value) => sum + value, 0)
}

function row2(label: string, texts: readonly string[]): string[] {
  const indent = label.length < LABEL_WIDTH ? '' : ' '.repeat(label.length)
  return texts.map((text, index) => row(index === 0 ? label : indent, text))
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${label.length >= LABEL_WIDTH ? ' ' : ''}${text}`
}

function shortener(pool: string): (id: string) => string {
  return (id) => (id.startsWith(`${pool}/`) ? id.slice(pool.length + 1) : id)
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Three digits say enough, and a score may be far below one. */
function amount(value: number): string {
  return Math.abs(value) >= 100 ? number(value) : String(Number(value.toPrecision(3)))
}
