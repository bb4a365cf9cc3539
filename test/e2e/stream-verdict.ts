/** What became of a stream that was cut, from all that its client could know. */
import { APIError } from 'openai'
import type { Cut } from './cut-point.js'
import type { Story } from './stories.js'
import type { Seen, Usage } from './stream-reader.js'

/** `whole`: as if nothing had been. `error-event`: it ended with an error that the official client raises. `wrong`: neither, or the other one of them. */
export interface Verdict {
  readonly kind: 'whole' | 'error-event' | 'wrong'
  readonly why: string
}

export interface Told {
  readonly story: Story
  readonly reference: Seen
  readonly seen: Seen
  /** The second one was for the node that went on, and so forth. */
  readonly cuts: readonly Cut[]
  /** Its engine was really cut off. */
  readonly wasCut: boolean
}

const END_MARK = 'data: [DONE]'

export function verdictOf(told: Told): Verdict {
  const { story, seen } = told
  const flaw = seen.error === undefined ? flawOfWhole(told) : flawOfError(told)
  if (seen.hung) return wrong(told, 'hung')
  if (flaw !== undefined) return wrong(told, flaw)
  if (seen.error === undefined)
    return story.isEligible || mayBeWhole(told) ? { kind: 'whole', why: '' } : wrong(told, 'whole, which it cannot be')
  const said = seen.error instanceof Error ? seen.error.message : 'no error'
  return story.isEligible ? wrong(told, `not continued: ${said}`) : { kind: 'error-event', why: said }
}

/** Cut before its first content it moves to another node, whatever it asks; behind its last event there was nothing left to lose. */
function mayBeWhole({ reference, cuts: [cut], wasCut }: Told): boolean {
  const events = reference.raw.split('\n\n').slice(0, -1)
  const firstContent = events.findIndex(
    (event) => /"(content|text|arguments|reasoning_content)":"[^"]/u.test(event) || event.includes('"tool_calls"'),
  )
  return !wasCut || cut === undefined || cut.event <= firstContent || cut.event >= events.length - 1
}

/** Why a stream that ended well for its client is not the unbroken one. */
function flawOfWhole(told: Told): string | undefined {
  const { reference, seen, story } = told
  if (seen.text !== reference.text)
    return `another text, from character ${firstDifference(seen.text, reference.text)} of ${reference.text.length}`
  if (countOf(seen.raw, END_MARK) !== 1 || !seen.raw.trimEnd().endsWith(END_MARK)) return `${countOf(seen.raw, END_MARK)} end marks`
  if (seen.raw.includes('token_ids')) return 'ids of tokens that nobody asked for'
  if (seen.finishReason !== reference.finishReason) return `ended with ${seen.finishReason} instead of ${reference.finishReason}`
  if (seen.ids !== 1 || seen.createds !== 1) return `${seen.ids} ids, ${seen.createds} times of creation`
  const expected = story.ask.body['stream_options'] === undefined ? [] : reference.usages
  return sameUsage(seen.usages, expected) || saidNothingMore(told, expected)
    ? undefined
    : `usage ${JSON.stringify(seen.usages)} instead of ${JSON.stringify(expected)}`
}

/**
 * Cut behind its last word, before its usage was told: lb says what it counted, its estimate of the prompt among it; or the rest is an answer without a word,
 * and the simulated engine counts the end of such an answer as a token.
 */
function saidNothingMore({ reference, seen, cuts }: Told, expected: readonly Usage[]): boolean {
  const finish = reference.raw.split('\n\n').findIndex((event) => event.includes('"finish_reason":"'))
  const more = expected.map((usage) => ({ ...usage, completion_tokens: usage.completion_tokens + 1 }))
  const guessed = expected.map((usage, index) => ({ ...usage, prompt_tokens: seen.usages[index]?.prompt_tokens ?? 0 }))
  const isBehind = cuts.reduce((sum, { event }) => sum + event, 0) >= finish
  return isBehind && (sameUsage(seen.usages, more) || sameUsage(seen.usages, guessed))
}

function sameUsage(seen: readonly Usage[], expected: readonly Usage[]): boolean {
  const counts = (list: readonly Usage[]): string => JSON.stringify(list.map((one) => [one.prompt_tokens, one.completion_tokens]))
  return counts(seen) === counts(expected)
}

/** Why an error that a client got is not an honest end. */
function flawOfError({ reference, seen }: Told): string | undefined {
  if (seen.raw.includes('[DONE]')) return 'an end mark beside an error'
  if (!(seen.error instanceof APIError)) return `not the error of the client: ${String(seen.error)}`
  if (seen.status === 200 && !/LB_[A-Z_]+/u.test(JSON.stringify(seen.error.error ?? seen.error.code ?? '')))
    return `no code: ${seen.error.message}`
  if (seen.status !== 200) return `${seen.status} ${seen.error.message}`
  return reference.text.startsWith(seen.text) ? undefined : 'the text before the error is not that of the answer'
}

function wrong({ story, cuts, seen }: Told, why: string): Verdict {
  const where = cuts.map(({ at, event, how }) => `${at} ${event} (${how})`).join(', ')
  return { kind: 'wrong', why: `${story.name}, cut ${where}, at ${seen.nodes}: ${why}` }
}

function firstDifference(one: string, other: string): number {
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return at
  return one.length
}

function countOf(text: string, part: string): number {
  return text.split(part).length - 1
}

/** How often each outcome came, for people. */
export function countVerdicts(verdicts: readonly Verdict[]): Record<Verdict['kind'], number> {
  const counts = { whole: 0, 'error-event': 0, wrong: 0 }
  for (const { kind } of verdicts) counts[kind] += 1
  return counts
}
