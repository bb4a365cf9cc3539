import type { AnswerClass, Dialect } from '../contracts/index.js'
import { openaiBase } from './openai-base.js'

/** Speaks OpenAI's protocol; an engine overrides where it differs. */
export function openaiDialect(overrides: Partial<Dialect> = {}): Dialect {
  return {
    paths: openaiBase('http://engine').paths,
    headers: {},
    classify: (status) => classifyStatus(status),
    streamEnd: (tail) => streamEnd(tail),
    ...overrides,
  }
}

function classifyStatus(status: number): AnswerClass {
  if (status < 400) return 'ok'
  if (status === 429) return 'cooldown'
  if (status === 502 || status === 503 || status === 504) return 'retry'
  // A bare 500 says that this request failed, not that the node did: another node would fail the same way.
  return 'client'
}

/** `[DONE]` after an error object is no success (engines/vllm.md section 6); without it the stream was cut. */
function streamEnd(tail: string): 'complete' | 'cut' | 'error' {
  if (/^data: ?\{"error"/m.test(tail)) return 'error'
  return /^data: ?\[DONE\]/m.test(tail) ? 'complete' : 'cut'
}
