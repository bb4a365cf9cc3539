import { type Dialect, openaiBase, openaiDialect } from '@plimsoll/core/plugin'

/**
 * OpenAI's dialect, plus what Ollama does otherwise (source read at fb307609, 2026-08-21). Its guard against foreign Host
 * headers needs nothing here: core writes the node's own authority.
 */
export function ollamaDialect(url: string): Dialect {
  const usual = openaiDialect()
  // It transcribes nothing: such requests go to other nodes.
  const { 'openai-transcriptions': _transcriptions, ...paths } = openaiBase(url).paths
  return openaiDialect({
    paths,
    classify(status, headers, bodyStart) {
      // Which models a node has is its own affair: what one has not pulled, another may have.
      if (status === 404 && /model .*not found/.test(bodyStart)) return 'retry'
      if (status === 503 && bodyStart.includes('maximum pending requests')) return 'cooldown'
      return usual.classify(status, headers, bodyStart)
    },
  })
}
