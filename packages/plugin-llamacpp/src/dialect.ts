import { type AnswerClass, type Dialect, type NodeSpec, openaiBase, openaiDialect } from '@plimsoll/core/plugin'
import { collect } from './collect.js'
import { continuation } from './continuation.js'

/** OpenAI's dialect, plus what llama-server does otherwise (run and measured at b10573). */
export function llamacppDialect({ url }: NodeSpec): Dialect {
  const usual = openaiDialect()
  // Only a multimodal model hears, and a server without one answers 501: such requests go to other nodes.
  const { 'openai-transcriptions': _transcriptions, ...paths } = openaiBase(url).paths
  return openaiDialect({
    paths,
    /** With the first, a generation runs on after its client has left, and its slot stays taken. The second would be taken for the node's own key. */
    headers: { strip: ['x-conversation-id', 'x-api-key'] },
    classify: (status, headers, bodyStart) => ownMeaning(status, bodyStart) ?? usual.classify(status, headers, bodyStart),
    collect,
    continuation,
    streamEnd: (tail) => (isError(tail) ? 'error' : isNativeEnd(tail) ? 'complete' : usual.streamEnd(tail)),
  })
}

function ownMeaning(status: number, bodyStart: string): AnswerClass | undefined {
  if (status === 503 && bodyStart.includes('Loading model')) return 'loading'
  // The gateway has checked the client's key; this one is ours, and wrong at this node alone.
  if (status === 401) return 'retry'
  // A router that loads nothing by itself; another node may have it in memory.
  if (status === 400 && bodyStart.includes('"model is not loaded"')) return 'retry'
  if (status === 500) return isFaultOfNode(bodyStart) ? 'retry' : 'client'
  return status === 501 ? 'client' : undefined
}

/**
 * 500 is its answer to malformed JSON, and to output that its parser cannot read after a whole generation: sent to another node, the first fails
 * again and the second costs everything twice. A crash closes the socket instead. These are the ones that another node may not have: a shared
 * context that is full, a computation that failed, a router whose child went away.
 */
function isFaultOfNode(bodyStart: string): boolean {
  return /Context size has been exceeded|Compute error|failed to decode|proxy error/.test(bodyStart)
}

/** An event instead of the rest of an answer; builds before 2025 named it in the field. */
function isError(tail: string): boolean {
  return /^(?:data|error): ?\{"(?:error|code)"/m.test(tail)
}

/** The last event of `/completion`, which no `[DONE]` follows. In OpenAI's shapes the word stands only inside texts, where its quotes are escaped. */
function isNativeEnd(tail: string): boolean {
  return /"stop_type": ?"(?:eos|limit|word)"/.test(tail)
}
