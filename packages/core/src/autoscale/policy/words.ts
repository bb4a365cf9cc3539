import type { ScalePlan } from '../../topology/index.js'

/** `3 nodes`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** As exact as anybody needs it. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`
  return `${Math.round(ms / 60_000)} min`
}

export function share(ratio: number): string {
  return `${Math.round(100 * ratio)} %`
}

/** What a group follows: `queue of 1 s, TTFT p95 of 2 s`. */
export function followsText({ target: { queueSeconds, ttftP95Ms, tokensInFlight, kvUsed }, triggers }: ScalePlan): string {
  const parts = [
    ...(queueSeconds === undefined ? [] : [`queue of ${queueSeconds} s`]),
    ...(ttftP95Ms === undefined ? [] : [`TTFT p95 of ${duration(ttftP95Ms)}`]),
    ...(tokensInFlight === undefined ? [] : [`${tokensInFlight} tokens in flight`]),
    ...(kvUsed === undefined ? [] : [`KV cache ${share(kvUsed)} full`]),
    ...triggers.map(({ name }) => name),
  ]
  return parts.join(', ')
}
