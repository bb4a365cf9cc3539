import { type Dialect, openaiBase, openaiDialect } from '@plimsoll/core/plugin'

/** OpenAI's dialect, plus what llama-server does otherwise (run and measured at b10573). */
export function llamacppDialect(url: string): Dialect {
  const usual = openaiDialect()
  // It transcribes nothing: such requests go to other nodes.
  const { 'openai-transcriptions': _transcriptions, ...paths } = openaiBase(url).paths
  return openaiDialect({
    paths,
    /** With this header a generation runs on after its client has left, and its slot stays taken. */
    headers: { strip: ['x-conversation-id'] },
    classify(status, headers, bodyStart) {
      if (status === 503 && bodyStart.includes('Loading model')) return 'loading'
      // 500 is its answer to malformed JSON, and to output that its parser cannot read after a whole generation:
      // sent to another node, the first fails again and the second costs everything twice. A crash closes the socket instead.
      if (status === 500 || status === 501) return 'client'
      return usual.classify(status, headers, bodyStart)
    },
  })
}
