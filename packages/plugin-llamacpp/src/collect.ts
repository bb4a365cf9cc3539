import type { BodyFields, CollectedShape, Dialect } from '@plimsoll/core/plugin'

/**
 * Fields that choose tokens and leave the shape of the answer alone. Everything else keeps a request plain: tools, log probabilities, several answers,
 * grammars, and `stop`: words of it that a limit cut in their middle stand in a plain answer and are missing from a stream.
 */
const harmless: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'prompt',
  'stream',
  'n',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'typical_p',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'repeat_penalty',
  'repeat_last_n',
  'logit_bias',
  'cache_prompt',
  'id_slot',
  'user',
])

const middle = '"created":<created>,"model":<model>,"system_fingerprint":<system_fingerprint>,"object"'
const rest = '"usage":<usage>,"id":<id>,"timings":<timings>}'

const chat: CollectedShape = {
  fits: (body) => isOrdinary(body),
  chunkObject: 'chat.completion.chunk',
  textAt: 'delta.content',
  template: `{"choices":[{"finish_reason":<finish_reason>,"index":0,"message":{"role":"assistant","content":"<text>"}}],${middle}:"chat.completion",${rest}`,
  contentType: 'application/json; charset=utf-8',
}

const completions: CollectedShape = {
  // A list of prompts is answered by a list of choices.
  fits: (body) => isOrdinary(body) && body.isText('prompt'),
  chunkObject: 'text_completion',
  textAt: 'text',
  template: `{"choices":[{"text":"<text>","index":0,"logprobs":null,"finish_reason":<finish_reason>}],${middle}:"text_completion",${rest}`,
  contentType: 'application/json; charset=utf-8',
}

/** Plain answers as recorded (chat-nonstream, completions-nonstream), from streams as recorded beside them: b10573 frees the slot of a stream within 20 ms, that of a plain request only after a second in which nobody got a result. */
export const collect: NonNullable<Dialect['collect']> = { 'openai-chat': chat, 'openai-completions': completions }

function isOrdinary(body: BodyFields): boolean {
  for (const name of body.names) if (!harmless.has(name)) return false
  const count = body.value('n')
  return count === undefined || count === null || count === 1
}
