import { describe, expect, it } from 'vitest'
import { createStrategyRegistry, seededRandom, type Strategy } from '@plimsoll/core/routing'
import {
  simulate,
  simulateGrid,
  type BeliefKind,
  type SimulatedNode,
  type SimulationOptions,
  type Workload,
  type WorkloadRequest,
} from './index.js'

const nodes = (count: number): SimulatedNode[] => Array.from({ length: count }, () => ({ preset: '8b-h100' }))

/** Prompts of 20 tenants of unequal weight, each with a beginning of its own; a third of them go on for a second turn. */
function chat(requests: number, perSecond = 20, seed = 7): Workload {
  const random = seededRandom(seed)
  const starts = Array.from({ length: requests }, (_, index): WorkloadRequest => {
    const tenant = Math.floor(20 * random.next() ** 2)
    const prompt = [
      { id: 1 + tenant, tokens: 600 },
      { id: 1000 + 2 * index, tokens: 1 + Math.floor(400 * random.next()) },
    ]
    const first = { atMs: (index * 1000) / perSecond, prompt, outputTokens: 1 + Math.floor(80 * random.next()), tenant: `t${tenant}` }
    if (index % 3 > 0) return first
    const answerId = 1001 + 2 * index
    const more = [...prompt, { id: answerId, tokens: first.outputTokens }, { id: 1_000_000 + index, tokens: 50 }]
    return { ...first, answerId, next: { atMs: 500, prompt: more, outputTokens: 30, tenant: first.tenant } }
  })
  return { name: 'chat', starts }
}

const sentBy = (requests: number): number => requests + Math.ceil(requests / 3)

function run(more: Partial<SimulationOptions> = {}) {
  return simulate({ nodes: nodes(4), workload: chat(300), strategy: { name: 'least-requests' }, warmupShare: 0, ...more })
}

const answered = (result: ReturnType<typeof run>): number => result.perNode.reduce((sum, node) => sum + node.requests, 0)

describe('simulate', () => {
  it('answers every request, those that follow in a session too, and counts what came from caches', () => {
    const result = run()
    expect([result.sent, answered(result), result.refused]).toEqual([sentBy(300), sentBy(300), 0])
    expect(result.ttftMs.p50).toBeGreaterThan(7)
    expect(result.e2eMs.p50).toBeGreaterThan(result.ttftMs.p50)
    expect(result.tpotMs.p50).toBeGreaterThan(7)
    expect(result.cachedTokenShare).toBeGreaterThan(0.2)
    expect(result.load.running).toHaveLength(4)
  })

  it('gives the same result for the same options, byte for byte, and another for another seed', () => {
    const [one, again, other] = [1, 1, 2].map((seed) => JSON.stringify(run({ seed, strategy: { name: 'two-choices' } })))
    expect(again).toBe(one)
    expect(other).not.toBe(one)
  })

  it('sends sessions faster at a higher rate, and answers then take longer', () => {
    const [slow, fast] = [1, 8].map((rate) => run({ rate, workload: chat(600) }))
    expect(fast?.simulatedMs).toBeLessThan((slow?.simulatedMs ?? 0) / 4)
    expect(fast?.tpotMs.p50).toBeGreaterThan(slow?.tpotMs.p50 ?? 0)
  })

  it('cuts the warm-up, and ends sessions early when told how many requests are enough', () => {
    expect(run({ warmupShare: 0.5 }).requests).toBeLessThan(0.55 * sentBy(300))
    const few = run({ maxRequests: 50 })
    expect(few.sent).toBeGreaterThanOrEqual(50)
    expect(few.sent).toBeLessThan(100)
  })

  it('loses nothing over a crash: waiting requests move, begun ones are sent again, the node comes back', () => {
    const result = run({ rate: 4, faults: [{ kind: 'crash', atMs: 1500, node: 1, backAfterMs: 1000 }] })
    expect(answered(result)).toBe(sentBy(300))
    expect(result.cut + result.moved).toBeGreaterThan(0)
    const quiet = run({ rate: 4 })
    expect(result.perNode[1]?.requests).toBeLessThan(quiet.perNode[1]?.requests ?? 0)
    const forGood = run({ rate: 4, faults: [{ kind: 'crash', atMs: 1500, node: 1, backAfterMs: 1e9 }] })
    expect(result.perNode[1]?.requests).toBeGreaterThan(forGood.perNode[1]?.requests ?? 0)
  })

  it('refuses when no node is left', () => {
    const result = run({ nodes: nodes(1), faults: [{ kind: 'crash', atMs: 1000, node: 0, backAfterMs: 1e9 }] })
    expect(result.refused).toBeGreaterThan(0)
    expect(answered(result) + result.refused).toBe(result.sent)
  })

  it('sends less to a node that slows down, until it recovers', () => {
    const slow = { kind: 'slow', atMs: 0, node: 0, slowness: 8 } as const
    const [hurt, healed] = [[slow], [slow, { kind: 'recover', atMs: 3000, node: 0 } as const]].map((faults) => run({ rate: 4, faults }))
    expect(hurt?.perNode[0]?.requests).toBeLessThan(0.7 * (hurt?.perNode[1]?.requests ?? 0))
    expect(healed?.perNode[0]?.requests).toBeGreaterThan(hurt?.perNode[0]?.requests ?? 0)
  })

  it('refuses what fits into no node', () => {
    const huge = { atMs: 0, prompt: [{ id: 1, tokens: 500_000 }], outputTokens: 10 }
    const result = run({ workload: { name: 'huge', starts: [huge, { ...huge, atMs: 5, prompt: [{ id: 2, tokens: 50 }] }] } })
    expect([result.refused, answered(result)]).toEqual([1, 1])
  })
})

describe('a strategy that waits', () => {
  const patient = (pick: (strategy: { readonly inFlight: number }) => number) =>
    createStrategyRegistry([
      {
        name: 'patient',
        summary: '',
        settings: {},
        create: ({ belief }): Strategy => ({ pick: (_facts, [node]) => pick(belief.of(node ?? { index: 0 })) }),
      },
    ])

  it('is asked again when a node has become free, first come, first served', () => {
    const result = run({
      nodes: nodes(1),
      workload: chat(30),
      strategy: { name: 'patient' },
      registry: patient(({ inFlight }) => (inFlight < 2 ? 0 : -1)),
    })
    expect(answered(result)).toBe(sentBy(30))
    expect(result.held).toBeGreaterThan(10)
    expect(Math.max(...(result.load.running[0] ?? []))).toBeLessThanOrEqual(2)
  })

  it('is told off when it waits for nothing', () => {
    expect(() => run({ strategy: { name: 'patient' }, registry: patient(() => -1) })).toThrow(/lets \d+ requests wait/)
  })
})

describe('what caches are believed to hold', () => {
  /** Goes where most of the prompt is believed cached. */
  const cacheFirst = createStrategyRegistry([
    {
      name: 'cache-first',
      summary: '',
      settings: {},
      create: ({ belief, random }): Strategy => ({
        pick(facts, candidates) {
          const { presentTokens } = belief.cachedTokens(facts, candidates)
          const most = Math.max(...presentTokens.subarray(0, candidates.length))
          const best = candidates.flatMap((_, position) => (presentTokens[position] === most ? [position] : []))
          return best[Math.floor(random.next() * best.length)] ?? 0
        },
      }),
    },
  ])
  const shareOf = (beliefKind: BeliefKind) => run({ strategy: { name: 'cache-first' }, registry: cacheFirst, beliefKind }).cachedTokenShare

  it('finds more in caches with a mirror than with nothing, and as much with their own state', () => {
    const [none, mirror, exact] = [shareOf('none'), shareOf('mirror'), shareOf('exact')]
    expect(mirror).toBeGreaterThan(none + 0.1)
    expect(exact).toBeGreaterThan(mirror - 0.05)
  })
})

describe('bad options', () => {
  it.each<[string, Partial<SimulationOptions>]>([
    ['nodes', { nodes: [] }],
    ['nodes[0].preset', { nodes: [{ preset: 'abacus' as never }] }],
    ['nodes[0].slowness', { nodes: [{ preset: '8b-h100', slowness: 0 }] }],
    ['rate', { rate: Number.NaN }],
    ['warmupShare', { warmupShare: 1 }],
    ['faults[0].node', { faults: [{ kind: 'recover', atMs: 0, node: 4 }] }],
    ['faults[0].slowness', { faults: [{ kind: 'slow', atMs: 0, node: 0, slowness: -1 }] }],
  ])('%s is named', (name, options) => {
    expect(() => run(options)).toThrow(name)
  })

  it('names an unknown strategy', () => {
    expect(() => run({ strategy: { name: 'luck' } })).toThrow(/no strategy "luck"/)
  })
})

describe('simulateGrid', () => {
  it('gives one result for each strategy, rate and seed', () => {
    const { results } = simulateGrid({
      nodes: nodes(2),
      workload: (seed) => chat(20, 20, seed),
      strategies: [{ name: 'round-robin' }, { name: 'least-tokens' }],
      rates: [1, 2],
      seeds: [1, 2],
    })
    expect(results.map(({ strategy, rate, seed }) => `${strategy} ${rate} ${seed}`)).toEqual(
      ['round-robin', 'least-tokens'].flatMap((name) => ['1 1', '1 2', '2 1', '2 2'].map((rest) => `${name} ${rest}`)),
    )
  })
})
