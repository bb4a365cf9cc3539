/** What clients do, made once and told twice: as numbers for `simulate`, and as text for the real gateway. All times are of the dilated clock. */
import type { WorkloadRequest } from '@plimsoll/simulate'

export interface Turn {
  /** From the end of the answer before. */
  readonly thinkMs: number
  readonly userTokens: number
  readonly outputTokens: number
}

/** One session: a text that others may share, then questions and answers. */
export interface Talk {
  /** Unique. */
  readonly id: number
  readonly atMs: number
  readonly system?: { readonly id: number; readonly tokens: number }
  readonly turns: readonly [Turn, ...Turn[]]
}

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** Tokens of lb-sim-engine's chat template. */
const userHead = 3
const systemHead = 3
const assistantHead = 4
const turnEnd = 1

/** Ids of runs that nobody else has. */
const talkIds = 1000

/** The session in numbers. The template's tokens belong to the run that brings them. */
export function requestOf(talk: Talk, at = 0): WorkloadRequest {
  const turn = talk.turns[at]
  if (turn === undefined) throw new RangeError(`no turn ${at} in talk ${talk.id}`)
  const prompt = talk.system === undefined ? [] : [{ id: talk.system.id, tokens: systemHead + talk.system.tokens + turnEnd + userHead }]
  for (const [index, { userTokens, outputTokens }] of talk.turns.slice(0, at + 1).entries()) {
    const head = index > 0 ? turnEnd + userHead : talk.system === undefined ? userHead : 0
    prompt.push({ id: runId(talk, index), tokens: head + userTokens + turnEnd + assistantHead })
    if (index < at) prompt.push({ id: answerId(talk, index), tokens: outputTokens })
  }
  return {
    atMs: at === 0 ? talk.atMs : turn.thinkMs,
    prompt,
    outputTokens: turn.outputTokens,
    answerId: answerId(talk, at),
    ...(at + 1 < talk.turns.length ? { next: requestOf(talk, at + 1) } : {}),
  }
}

/** The session's first messages in text. */
export function openingOf({ system }: Talk): Message[] {
  return system === undefined ? [] : [{ role: 'system', content: words(system.id, system.tokens) }]
}

export function questionOf(talk: Talk, at: number): Message {
  return { role: 'user', content: words(runId(talk, at), talk.turns[at]?.userTokens ?? 0) }
}

function runId({ id }: Talk, turn: number): number {
  return talkIds * (id + 1) + 2 * turn
}

function answerId({ id }: Talk, turn: number): number {
  return talkIds * (id + 1) + 2 * turn + 1
}

/** Words of three letters, each one token of the simulated engine, told apart by their run. */
function words(run: number, count: number): string {
  const random = dice(run)
  const letter = () => String.fromCodePoint(97 + Math.floor(26 * random()))
  return Array.from({ length: count }, () => letter() + letter() + letter()).join(' ')
}

/** Numbers from 0 to 1 that the seed decides. */
export function dice(seed: number): () => number {
  let state = (seed * 0x9e3779b9 + 0x6d2b79f5) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
