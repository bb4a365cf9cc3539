import { placeOf, textFrom, type StoryPlace } from '../text/continuation.js'
import { tokenise } from '../text/tokenise.js'
import type { Fault } from './fault.js'
import { invalid, optionalBoolean, optionalCount, optionalInteger, optionalObject, type JsonObject } from './json-fields.js'
import type { Prompt } from './prompt.js'
import { Refusal } from './refusal.js'

export type FinishReason = 'stop' | 'length'

/** What a client asked about the answer. */
export interface AnswerWishes {
  readonly maxTokens: number | undefined
  readonly stop: readonly string[]
  readonly ignoreEos: boolean
  readonly seed: number | undefined
  readonly stream: boolean
  readonly includeUsage: boolean
  /** The events of a stream bring the ids of their tokens, the first one those of the prompt. */
  readonly returnTokenIds: boolean
}

/** An answer, decided before its first token: the engine model only says when each token comes. */
export interface Answer {
  readonly text: string
  readonly ids: readonly number[]
  /** Offset in `text` where each token ends. */
  readonly ends: readonly number[]
  /** At least 1: the end of an answer is a token too. */
  readonly tokenCount: number
  readonly finishReason: FinishReason
  /** Where in its story it begins. */
  readonly place: StoryPlace
}

export function answerWishes(body: JsonObject): AnswerWishes {
  for (const key of ['n', 'best_of'])
    if ((optionalCount(body, key) ?? 1) > 1) throw new Refusal(400, `${key} over 1 is not simulated`, { param: key })
  for (const key of ['echo', 'logprobs', 'top_logprobs', 'prompt_logprobs'])
    if (isAsked(body[key])) throw new Refusal(400, `${key} is not simulated`, { param: key })
  return {
    maxTokens: optionalCount(body, 'max_completion_tokens') ?? optionalCount(body, 'max_tokens'),
    stop: stopSequences(body['stop']),
    ignoreEos: optionalBoolean(body, 'ignore_eos') ?? false,
    seed: optionalInteger(body, 'seed'),
    stream: optionalBoolean(body, 'stream') ?? false,
    includeUsage: optionalBoolean(optionalObject(body, 'stream_options') ?? {}, 'include_usage') ?? false,
    returnTokenIds: optionalBoolean(body, 'return_token_ids') ?? false,
  }
}

/** Writes the answer to one prompt. Refuses with 400 what the context cannot hold. */
export function writeAnswer(
  prompt: Prompt,
  wishes: AnswerWishes,
  engine: { seed: number; contextTokens: number; fault?: Fault | undefined },
): Answer {
  const room = contextRoom(prompt, wishes, engine.contextTokens)
  const limit = Math.min(wishes.maxTokens ?? room, room)
  const place = placeFor(prompt, wishes, engine.seed)
  const written = cutAtStop(draft(place, wishes, { ...engine, limit }), wishes.stop)
  const { ids, ends } = tokenise(written)
  if (ids.length <= limit && !(wishes.ignoreEos && ids.length === limit))
    return { text: written, ids, ends, tokenCount: Math.max(1, ids.length), finishReason: 'stop', place }
  return {
    text: written.slice(0, ends[limit - 1]),
    ids: ids.slice(0, limit),
    ends: ends.slice(0, limit),
    tokenCount: limit,
    finishReason: 'length',
    place,
  }
}

function placeFor(prompt: Prompt, wishes: AnswerWishes, seed: number): StoryPlace {
  return prompt.place ?? placeOf({ seed: wishes.seed ?? seed, context: prompt.context, begun: prompt.begun })
}

function draft(place: StoryPlace, wishes: AnswerWishes, engine: { limit: number; fault?: Fault | undefined }): string {
  if (engine.fault?.kind === 'empty') return ''
  if (engine.fault?.kind === 'repeat') return 'again '.repeat(Math.min(engine.limit, 1024) + 1)
  return textFrom(place, wishes.ignoreEos ? engine.limit : undefined)
}

function contextRoom(prompt: Prompt, wishes: AnswerWishes, contextTokens: number): number {
  const asked = wishes.maxTokens ?? 1
  const total = prompt.tokens.length + asked
  if (total <= contextTokens) return contextTokens - prompt.tokens.length
  const counts = `you requested ${asked} output tokens and your prompt contains ${prompt.tokens.length} input tokens, for a total of ${total} tokens`
  const message = `This model's maximum context length is ${contextTokens} tokens. However, ${counts}. Please reduce the length of the input or the output.`
  throw new Refusal(400, message, { param: 'input_tokens' })
}

function cutAtStop(text: string, stop: readonly string[]): string {
  const found = stop.map((sequence) => text.indexOf(sequence)).filter((at) => at >= 0)
  return found.length === 0 ? text : text.slice(0, Math.min(...found))
}

function stopSequences(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (!list.every((one) => typeof one === 'string')) throw invalid('stop', 'a string or a list of strings')
  return list.filter((one) => one !== '')
}

function isAsked(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}
