import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { RequestRecord } from '../contracts/index.js'
import { GatewayMetrics } from './gateway-metrics.js'
import { parsePrometheus } from './parse-prometheus.test.fixture.js'
import { RequestStats } from './request-stats.js'

const record = (changes: Partial<RequestRecord> = {}): RequestRecord => ({
  v: 1,
  id: 'r',
  arrivedAtMs: 0,
  face: 'openai-chat',
  pool: 'demo',
  model: 'm',
  stream: true,
  node: 'demo/a',
  attempts: [{ node: 'demo/a', startedMs: 0, outcome: 'answered' }],
  status: 200,
  outcome: 'ok',
  errorCode: null,
  bodyBytes: 100,
  promptTokens: 25,
  completionTokens: 11,
  cachedTokens: 16,
  inLineMs: 0,
  tokensMeasured: true,
  ttftMs: 100,
  totalMs: 600,
  prefixHashes: new Float64Array(0),
  ...changes,
})

const moved = record({
  attempts: [
    { node: 'demo/a', startedMs: 0, outcome: 'reset', reason: 'ECONNRESET' },
    { node: 'demo/b', startedMs: 80, outcome: 'answered' },
  ],
  node: 'demo/b',
})

describe('request stats', () => {
  it('are all zero before any request', () => {
    const stats = new RequestStats(new FakeClock())
    expect(stats.node('demo/a')).toMatchObject({
      requests: 0,
      errors: 0,
      requestsPerSecond: 0,
      tokensPerSecond: 0,
      ttftMs: null,
      tpotMs: null,
    })
    expect(stats.pool('demo').ttftHistoryMs).toHaveLength(24)
  })

  it('tell TTFT, time per output token and rates of a stream', () => {
    const clock = new FakeClock()
    const stats = new RequestStats(clock)
    for (let second = 0; second < 10; second++) {
      stats.settle(record())
      clock.advance(1000)
    }
    for (const place of [stats.node('demo/a'), stats.pool('demo'), stats.gateway()]) {
      expect(place).toMatchObject({ requests: 10, errors: 0 })
      expect(place.tokensPerSecond).toBeCloseTo(11)
      expect(place.requestsPerSecond).toBeCloseTo(1)
      expect(place.ttftMs!.p50 / 100).toBeCloseTo(1, 1)
      expect(place.tpotMs!.p50 / 50).toBeCloseTo(1, 1)
    }
  })

  it('charge a failed try to its node and not to the pool, and the answering node only its own time', () => {
    const stats = new RequestStats(new FakeClock())
    stats.settle(moved)
    expect(stats.node('demo/a')).toMatchObject({ requests: 1, errors: 1, ttftMs: null })
    expect(stats.node('demo/b')).toMatchObject({ requests: 1, errors: 0 })
    expect(stats.node('demo/b').ttftMs!.p50 / 20).toBeCloseTo(1, 1)
    expect(stats.pool('demo')).toMatchObject({ requests: 1, errors: 0 })
  })

  it("do not count the client's own failures as errors", () => {
    const stats = new RequestStats(new FakeClock())
    stats.settle(record({ outcome: 'client-error', status: 400, ttftMs: null }))
    stats.settle(record({ outcome: 'client-gone', attempts: [{ node: 'demo/a', startedMs: 0, outcome: 'cancelled' }] }))
    expect(stats.gateway()).toMatchObject({ requests: 2, errors: 0 })
    expect(stats.node('demo/a').errors).toBe(0)
  })

  it('count engine errors, cuts and the unavailable at gateway and pool', () => {
    const stats = new RequestStats(new FakeClock())
    stats.settle(record({ outcome: 'engine-error', status: 500 }))
    stats.settle(record({ outcome: 'cut' }))
    stats.settle(record({ outcome: 'unavailable', status: 503, node: null, attempts: [], ttftMs: null }))
    expect(stats.pool('demo').errors).toBe(3)
    expect(stats.node('demo/a').errors).toBe(2)
  })

  it('give no time per token for plain answers', () => {
    const stats = new RequestStats(new FakeClock())
    stats.settle(record({ stream: false }))
    expect(stats.gateway().tpotMs).toBeNull()
  })

  it('forget what a reload took away', () => {
    const stats = new RequestStats(new FakeClock())
    stats.settle(moved)
    stats.retainNodes(new Set(['demo/b']))
    stats.retainPools(new Set())
    expect([stats.node('demo/a').requests, stats.node('demo/b').requests, stats.pool('demo').requests]).toEqual([0, 1, 0])
  })

  it('cost little for each request', () => {
    const clock = new FakeClock()
    const stats = new RequestStats(clock)
    const one = record()
    for (let index = 0; index < 20_000; index++) stats.settle(one)
    const startedMs = performance.now()
    for (let index = 0; index < 100_000; index++) stats.settle(one)
    // Three places with four numbers each; under 1 us a number on an idle machine, ten times that on a busy one.
    expect((performance.now() - startedMs) / 100_000).toBeLessThan(0.12)
  })
})

describe('the gateway metrics', () => {
  const node = { id: 'demo/a', pool: 'demo', state: 'ready', inFlight: 2, waiting: 1, tokensInFlight: 300, restarts: 1 } as const
  const metricsOf = (nodes: readonly (typeof node)[]) => new GatewayMetrics({ version: '0.1.0', nodes: () => nodes })

  it('are a text that a strict reader accepts, before and after requests', () => {
    const metrics = metricsOf([node])
    expect(parsePrometheus(metrics.render()).map((family) => family.name)).toContain('lb_build_info')
    for (const each of [
      record(),
      moved,
      record({ pool: null, node: null, attempts: [], outcome: 'unavailable', status: 503, cachedTokens: null }),
    ])
      metrics.settle(each)
    const families = parsePrometheus(metrics.render())
    expect(families).toHaveLength(14)
    const attempts = families.find((family) => family.name === 'lb_request_attempts_total')
    expect(attempts?.samples.map((sample) => [sample.labels['outcome'], sample.value])).toEqual([
      ['answered', 2],
      ['reset', 1],
    ])
  })

  it('tell the state of a node as one of all states', () => {
    const states = parsePrometheus(metricsOf([node]).render()).find((family) => family.name === 'lb_node_state')!
    expect(states.samples.filter((sample) => sample.value === 1).map((sample) => sample.labels['state'])).toEqual(['ready'])
    expect(states.samples).toHaveLength(10)
  })

  it('drop the gauges of a node that is gone', () => {
    const nodes = [node]
    const metrics = metricsOf(nodes)
    expect(metrics.render()).toContain('lb_node_in_flight{pool="demo",node="demo/a"} 2')
    nodes.pop()
    expect(metrics.render()).not.toContain('lb_node_in_flight')
  })
})
