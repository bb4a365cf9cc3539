/** Conversations with the one right answer to each, asked of an engine before anything is broken. */
import { ask } from './client.js'

export interface Question {
  /** The request body. */
  readonly body: (stream: boolean) => string
  /** Undefined where no answer is the right one: it then only has to be whole. */
  readonly text: string | undefined
  /** Tokens of the right answer. */
  readonly tokens: number
}

export interface QuestionOptions {
  readonly count: number
  /** Of the answer; the first seventeen are the same in every answer of the simulated engine. */
  readonly maxTokens: number
  /** Of the prompt, about; a prompt of its own for each. Absent: a short one. */
  readonly promptWords?: number
  /** Further fields of the body. */
  readonly more?: object
}

/** Asks the engine each question once, ten at a time. */
export async function questions(engineUrl: string, options: QuestionOptions): Promise<Question[]> {
  const made: Question[] = []
  for (let start = 0; start < options.count; start += 10) {
    const some = Array.from({ length: Math.min(10, options.count - start) }, (_, index) => question(engineUrl, start + index, options))
    made.push(...(await Promise.all(some)))
  }
  return made
}

/** A question whose answer nobody knows yet. */
export function unanswered(index: number, { maxTokens, promptWords = 0, more = {} }: QuestionOptions): Question {
  const filler = Array.from({ length: promptWords }, (_, word) => `w${index}x${word}`).join(' ')
  const content = `question ${index}: ${filler} how is the sea?`
  const body = (stream: boolean): string =>
    JSON.stringify({ model: 'sim-8b', max_tokens: maxTokens, stream, messages: [{ role: 'user', content }], ...more })
  return { body, text: undefined, tokens: 0 }
}

async function question(engineUrl: string, index: number, options: QuestionOptions): Promise<Question> {
  const open = unanswered(index, options)
  const answer = await ask(engineUrl, open, { stream: false, deadlineMs: 60_000 })
  if (answer.kind !== 'whole') throw new Error(`an engine without a fault answered: ${answer.kind} ${answer.said}`)
  return { body: open.body, text: answer.text, tokens: answer.tokens }
}
