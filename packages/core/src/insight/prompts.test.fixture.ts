import type { Candidate, RequestFacts } from '../contracts/index.js'

/** A prompt of these blocks, each of sixteen tokens; longer than they are, where a test says nothing else. */
export function factsOfBlocks(
  hashes: readonly number[],
  promptTokens = 16 * hashes.length + 10,
  more: Partial<RequestFacts> = {},
): RequestFacts {
  return {
    id: 'r1',
    face: 'openai-chat',
    model: 'm',
    stream: true,
    bodyBytes: 4 * promptTokens,
    promptTokens,
    outputTokens: 0,
    prefixHashes: Float64Array.from(hashes),
    prefixTokens: (blocks) => Math.min(promptTokens, 16 * blocks),
    session: undefined,
    client: '127.0.0.1',
    sloTtftMs: undefined,
    ...more,
  }
}

export function nodesOf(count: number): Candidate[] {
  return Array.from({ length: count }, (_, index) => ({ id: `pool/n-${index}`, index, weight: 1 }))
}
