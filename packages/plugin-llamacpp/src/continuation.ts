import type { Continuation, ExactContinuation } from '@plimsoll/core/plugin'

/**
 * A trailing assistant message is continued, and given back first (measured at b10568). With thinking on it may be refused: such a stream ends in an error. Ids
 * come with probabilities only, so those are asked for; of a character that several tokens make, only the last one's come, which the bytes betray. The prompt
 * of a conversation is asked for as text.
 */
const byIds: ExactContinuation = {
  ask: { logprobs: 'true', top_logprobs: '1' },
  field: 'logprobs',
  tokensOf,
}

export const continuation: Continuation = {
  text: { 'openai-chat': { echoes: true }, 'openai-completions': {} },
  exact: {
    'openai-chat': { ...byIds, render: { path: '/apply-template', field: 'prompt' } },
    'openai-completions': { ...byIds, ask: { logprobs: '1' } },
  },
}

interface Probability {
  readonly id?: unknown
  readonly bytes?: unknown
}

function tokensOf(value: unknown): { readonly ids: readonly number[]; readonly bytes: number } | undefined {
  const list = typeof value === 'object' && value !== null && 'content' in value ? value.content : undefined
  if (!Array.isArray(list)) return undefined
  let bytes = 0
  const ids: number[] = []
  for (const { id, bytes: own } of list as readonly Probability[]) {
    if (typeof id !== 'number' || !Array.isArray(own)) return undefined
    ids.push(id)
    bytes += own.length
  }
  return { ids, bytes }
}
