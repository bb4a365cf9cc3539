import { percentilesOf, type LoggedRequest } from '@plimsoll/simulate'
import type { LoggedFigures } from '../views/replay-text.js'

/** What a log says of its own time. A plain answer comes all at once: first and further tokens are those of streams. */
export function measureLog(requests: readonly LoggedRequest[]): LoggedFigures {
  const streams = requests.flatMap(({ stream, ttftMs, totalMs, completionTokens }) =>
    stream && ttftMs !== null ? [{ ttftMs, totalMs, completionTokens }] : [],
  )
  const tokenMs = streams
    .filter(({ completionTokens }) => completionTokens > 1)
    .map(({ ttftMs, totalMs, completionTokens }) => (totalMs - ttftMs) / (completionTokens - 1))
  return {
    ttftMs: streams.length === 0 ? null : percentilesOf(Float64Array.from(streams, ({ ttftMs }) => ttftMs)),
    tpotMs: tokenMs.length === 0 ? null : percentilesOf(Float64Array.from(tokenMs)),
    e2eMs: percentilesOf(Float64Array.from(requests, ({ totalMs }) => totalMs)),
    cachedTokenShare: cachedShare(requests),
  }
}

/** Null where no engine said. */
function cachedShare(requests: readonly LoggedRequest[]): number | null {
  let [cached, prompt] = [0, 0]
  for (const { cachedTokens, promptTokens } of requests) {
    if (cachedTokens === null) continue
    cached += cachedTokens
    prompt += promptTokens
  }
  return prompt === 0 ? null : cached / prompt
}
