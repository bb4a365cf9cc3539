import type { Decision, DecisionCandidate, WhyJson } from '@plimsoll/core'

const candidate = (
  node: string,
  terms: Readonly<Record<string, number>> | null,
  more: Partial<DecisionCandidate> = {},
): DecisionCandidate => ({
  node,
  zone: null,
  inFlight: 3,
  waiting: 1,
  prefillTokens: 900,
  cachedTokens: 0,
  terms,
  ...more,
})

export function sampleDecision(more: Partial<Decision> = {}): Decision {
  return {
    v: 1,
    id: 'req_1',
    arrivedAtMs: 1_700_000_000_000,
    decidedMs: 0.4,
    attempt: 1,
    askedFor: true,
    pool: 'chat',
    model: 'qwen3-4b',
    strategy: 'marginal-cost',
    promptTokens: 1_204,
    outputTokens: 300,
    sessionFrom: 'x-session-id',
    sloTtftMs: null,
    candidates: [
      candidate('chat/gpu-0', { wait: 22, prefill: 9, batch: 31, others: 4 }, { cachedTokens: 1_120 }),
      candidate('chat/gpu-1', { wait: 18, prefill: 118, batch: 40, others: 4 }),
    ],
    leftOut: [
      { node: 'chat/laptop', filter: 'state', reason: 'is draining: it ends what it has' },
      { node: 'chat/cloud', filter: 'tier', reason: 'is of tier 1; one of tier 0 is ready' },
    ],
    unit: 'ms',
    wins: 'lowest',
    because: ['it holds 93 % of the prompt'],
    choice: 'chat/gpu-0',
    roundRobin: 'chat/gpu-1',
    ...more,
  }
}

/** A request of one try, ended well. */
export function sampleWhy({ id = 'req_1', ...more }: Partial<Decision> = {}): WhyJson {
  return {
    id,
    record: {
      v: 1,
      id,
      arrivedAtMs: 1_700_000_000_000,
      face: 'openai-chat',
      pool: 'chat',
      model: 'qwen3-4b',
      stream: true,
      node: 'chat/gpu-0',
      attempts: [{ node: 'chat/gpu-0', startedMs: 0.4, outcome: 'answered' }],
      status: 200,
      outcome: 'ok',
      errorCode: null,
      bodyBytes: 5_000,
      promptTokens: 1_204,
      completionTokens: 312,
      cachedTokens: 1_120,
      believed: { promptTokens: 1_190, cachedTokens: 1_104 },
      inLineMs: 0,
      tokensMeasured: true,
      ttftMs: 131,
      totalMs: 5_900,
      prefixHashes: [],
    },
    decisions: [sampleDecision({ id, ...more })],
  }
}
