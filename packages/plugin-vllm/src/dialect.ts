import { type Dialect, openaiBase, openaiDialect } from '@plimsoll/core/plugin'

/** OpenAI's dialect, plus what vLLM does otherwise (source read at 5eaa70dac, 2026-08-07). */
export function vllmDialect(url: string): Dialect {
  const usual = openaiDialect()
  return openaiDialect({
    paths: openaiBase(url).paths,
    /** Elastic scaling answers every path with 503 and an error that is a plain string; it passes. */
    classify(status, headers, bodyStart) {
      if (status === 503 && bodyStart.includes('currently scaling')) return 'cooldown'
      return usual.classify(status, headers, bodyStart)
    },
    /** A server that shuts down ends streams in good form, with [DONE] and the finish reason `abort`. */
    streamEnd(tail) {
      return /"finish_reason":\s*"abort"/.test(tail) ? 'error' : usual.streamEnd(tail)
    },
  })
}
