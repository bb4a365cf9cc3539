import { describe, expect, it } from 'vitest'
import { whyLines } from './why-text.js'
import { sampleDecision, sampleWhy } from './why.test.fixture.js'

const manyCandidates = Array.from({ length: 256 }, (_, index) => ({
  node: `chat/n-${index}`,
  zone: null,
  inFlight: index,
  waiting: 0,
  prefillTokens: 0,
  cachedTokens: 0,
  terms: { cost: 1_000 - index },
}))

describe('why a request went to its node', () => {
  it('is told with candidates, costs, the choice and what taking turns would have done', () => {
    expect(whyLines(sampleWhy())).toEqual([
      'req_1   qwen3-4b   1,204 tok prompt (1,120 cached, 1,104 expected) → 312 tok   TTFT 131 ms   total 5.9 s   chat/gpu-0, attempt 1',
      '  candidates     gpu-0   gpu-1',
      '  left out       laptop (state: is draining: it ends what it has)',
      '                 cloud (tier: is of tier 1; one of tier 0 is ready)',
      '  cost in ms     gpu-0 = wait 22 + prefill 9 + batch 31 + others 4 = 66   3 in flight, 1,120 tok of the prompt cached',
      '                 gpu-1 = wait 18 + prefill 118 + batch 40 + others 4 = 180   3 in flight',
      '  strategy       marginal-cost, conversation named by x-session-id',
      '  so             gpu-0, because it holds 93 % of the prompt',
      '  otherwise      round-robin would have taken gpu-1 (about +114 ms)',
    ])
  })

  it('is told try by try where there were several, and of one that waited', () => {
    const why = sampleWhy()
    const waited = sampleDecision({ choice: null, because: ['every node is busy'], attempt: 1 })
    const lines = whyLines({ ...why, record: { ...why.record!, inLineMs: 340 }, decisions: [waited, sampleDecision({ decidedMs: 340 })] })
    expect(lines[0]).toContain('waited 340 ms')
    expect(lines).toContain('  try 1, 0.4 ms after arrival')
    expect(lines).toContain('  so             none now: the request waits, because every node is busy')
    expect(lines.filter((line) => line.includes('otherwise'))).toHaveLength(1)
  })

  it('shows the best of many candidates, the chosen one first', () => {
    const lines = whyLines(sampleWhy({ candidates: manyCandidates, leftOut: [], choice: 'chat/n-7', roundRobin: 'chat/n-7' }))
    expect(lines[1]).toBe('  candidates     n-7   n-255   n-254   n-253   n-252   n-251   n-250   n-249   and 248 more')
    expect(lines[2]).toContain('n-7 = cost 993')
    expect(lines.at(-1)).toBe('  otherwise      round-robin would have taken it too')
  })

  it('does without costs where a strategy tells none, and without candidates where there were none', () => {
    const [first] = sampleDecision().candidates
    const silent = whyLines(sampleWhy({ candidates: [{ ...first!, terms: null }], because: [] }))
    expect(silent).toContain('  cost in ms     gpu-0   3 in flight, 1,120 tok of the prompt cached')
    expect(silent).toContain('  so             gpu-0')
    const none = whyLines({ ...sampleWhy({ candidates: [], choice: null, roundRobin: null, because: [] }), record: null })
    expect(none[0]).toBe('req_1   qwen3-4b   1,204 tok prompt   still running')
    expect(none).toContain('  candidates     none')
    expect(none).toContain('  so             no node')
  })

  it('keeps the nodes below each other where the unit is long, and says chance and score once', () => {
    const { candidates } = sampleDecision()
    const terms = candidates.map((candidate) => ({ ...candidate, terms: { prefill: 26 } }))
    const long = whyLines(sampleWhy({ candidates: terms, leftOut: [], unit: 'tokens x requests', because: ['by chance, among equals'] }))
    expect(long[2]).toMatch(/^ {2}cost in tokens x requests gpu-0 = prefill 26/)
    expect(long[3]?.indexOf('gpu-1')).toBe(long[2]?.indexOf('gpu-0'))
    expect(long).toContain('  so             gpu-0, by chance, among equals')
    expect(whyLines(sampleWhy({ unit: 'score', wins: 'highest' })).join('\n')).not.toContain('score in score')
  })

  it('says of a request that was not traced what its record knows, and how to get a trace', () => {
    const why = sampleWhy()
    const lines = whyLines({
      ...why,
      record: { ...why.record!, outcome: 'unavailable', errorCode: 'LB_NO_READY_NODE', node: null, attempts: [], ttftMs: null },
      decisions: [],
    })
    expect(lines[0]).toMatch(/no node {3}unavailable \(LB_NO_READY_NODE\)$/)
    expect(lines.join('\n')).toContain('x-lb-trace: 1')
  })

  it('names the revision that answered, where the pool has several', () => {
    const why = sampleWhy()
    const attempts = [
      { node: 'chat/gpu-r2-0', startedMs: 0.4, outcome: 'refused', revision: 'r2' },
      { node: 'chat/gpu-0', startedMs: 9, outcome: 'answered', revision: 'r1' },
    ] as const
    expect(whyLines({ ...why, record: { ...why.record!, attempts } })[0]).toMatch(/chat\/gpu-0 \(r1\), attempt 2$/)
  })

  it('lets nothing of foreign text act on the terminal', () => {
    const text = whyLines(sampleWhy({ because: ['a\u001b[2J'], model: 'm\u0007' })).join('')
    expect(text).toContain('a\\e[2J')
    expect(text).not.toContain('\u0007')
  })
})
