import type { RandomSource, RequestFacts } from '@plimsoll/core/plugin'

const BLOCK_TOKENS = 64

/** Requests as a pool may see them: few conversations, prompts that begin alike, now and then an empty or a huge one. The same source of chance, the same requests. */
export function walkFacts(random: RandomSource, serial: number): RequestFacts {
  const blocks = random.next() < 0.1 ? 0 : Math.floor(1 + 40 * random.next() ** 2)
  const tree = Math.floor(4 * random.next())
  const prefixHashes = Float64Array.from({ length: blocks }, (_, at) => hashAt(tree, at, at < 6 ? 0 : serial % 5))
  const promptTokens = blocks * BLOCK_TOKENS + Math.floor(BLOCK_TOKENS * random.next()) + (random.next() < 0.02 ? 100_000 : 0)
  const session = random.next() < 0.5 ? `conversation-${Math.floor(8 * random.next())}` : undefined
  return Object.freeze({
    id: `walk-${serial}`,
    face: 'openai-chat',
    model: 'model-a',
    stream: random.next() < 0.8,
    bodyBytes: 4 * promptTokens,
    promptTokens,
    outputTokens: Math.floor(600 * random.next()),
    prefixHashes,
    prefixTokens: (count: number) => BLOCK_TOKENS * Math.max(0, Math.min(count, blocks)),
    session,
    client: `client-${Math.floor(5 * random.next())}`,
    sloTtftMs: random.next() < 0.2 ? 200 : undefined,
  } satisfies RequestFacts)
}

/** Chained: equal only behind equal beginnings. */
function hashAt(tree: number, at: number, branch: number): number {
  return 1 + at + 100 * (branch + 10 * (tree + 1))
}
