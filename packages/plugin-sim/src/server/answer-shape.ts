import type { FinishReason } from './answer.js'

export interface AnswerUsage {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly cachedTokens: number
}

export interface FinishedText {
  readonly text: string
  readonly finishReason: FinishReason
}

/** What `return_token_ids` adds to an event. */
export interface PieceIds {
  readonly tokens: readonly number[]
  /** There with the first piece of an answer. */
  readonly prompt: readonly number[] | undefined
}

/** How answers look on the wire: event data of a stream, or one body. */
export interface AnswerShape {
  /** Comes before the first piece; undefined where the protocol has no such event. */
  start(index: number, prompt: readonly number[] | undefined): string | undefined
  piece(index: number, text: string, ids: PieceIds | undefined): string
  finish(index: number, reason: FinishReason): string
  usage(usage: AnswerUsage): string
  whole(texts: readonly FinishedText[], usage: AnswerUsage): string
}

interface Identity {
  readonly id: string
  readonly model: string
  readonly createdSeconds: number
}

export function chatShape({ id, model, createdSeconds }: Identity): AnswerShape {
  const head = (object: string) =>
    `{"id":${JSON.stringify(id)},"object":"${object}","created":${createdSeconds},"model":${JSON.stringify(model)},`
  const chunk = head('chat.completion.chunk')
  const event = (index: number, delta: string, reason: string, ids = '', prompt = '') =>
    `${chunk}"choices":[{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":${reason}${ids}}]${prompt}}`
  return {
    start: (index, prompt) => event(index, '{"role":"assistant","content":""}', 'null', '', idsField('prompt_token_ids', prompt)),
    piece: (index, text, ids) => event(index, `{"content":${JSON.stringify(text)}}`, 'null', idsField('token_ids', ids?.tokens)),
    finish: (index, reason) => event(index, '{}', `"${reason}"`),
    usage: (usage) => `${chunk}"choices":[],"usage":${usageJson(usage)}}`,
    whole: (texts, usage) => `${head('chat.completion')}"choices":[${texts.map(chatChoice).join(',')}],"usage":${usageJson(usage)}}`,
  }
}

export function completionShape({ id, model, createdSeconds }: Identity): AnswerShape {
  const head = `{"id":${JSON.stringify(id)},"object":"text_completion","created":${createdSeconds},"model":${JSON.stringify(model)},`
  return {
    start: () => undefined,
    piece: (index, text, ids) =>
      `${head}"choices":[${textChoice(index, text, 'null', idsField('prompt_token_ids', ids?.prompt) + idsField('token_ids', ids?.tokens))}]}`,
    finish: (index, reason) => `${head}"choices":[${textChoice(index, '', `"${reason}"`)}]}`,
    usage: (usage) => `${head}"choices":[],"usage":${usageJson(usage)}}`,
    whole: (texts, usage) => {
      const choices = texts.map(({ text, finishReason }, index) => textChoice(index, text, `"${finishReason}"`))
      return `${head}"choices":[${choices.join(',')}],"usage":${usageJson(usage)}}`
    },
  }
}

function chatChoice({ text, finishReason }: FinishedText, index: number): string {
  return `{"index":${index},"message":{"role":"assistant","content":${JSON.stringify(text)}},"logprobs":null,"finish_reason":"${finishReason}"}`
}

function textChoice(index: number, text: string, reason: string, ids = ''): string {
  return `{"index":${index},"text":${JSON.stringify(text)},"logprobs":null,"finish_reason":${reason}${ids}}`
}

function idsField(name: string, ids: readonly number[] | undefined): string {
  return ids === undefined ? '' : `,"${name}":[${ids.join(',')}]`
}

function usageJson({ promptTokens, completionTokens, cachedTokens }: AnswerUsage): string {
  const counts = `"prompt_tokens":${promptTokens},"completion_tokens":${completionTokens},"total_tokens":${promptTokens + completionTokens}`
  return `{${counts},"prompt_tokens_details":{"cached_tokens":${cachedTokens}}}`
}
