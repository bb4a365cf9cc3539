import { seededRandom } from '@plimsoll/core/routing'
import { describe, expect, it } from 'vitest'
import { evenCourse, fleet, shapedCourse, Race } from './race.test.fixture.js'

/** Where strategies win and lose, as `docs/guides/strategies.md` says: order, not figures. Others are "the same" here when they stay within 10 %. */
describe('agents whose tools share long prompts', () => {
  const race = new Race(shapedCourse('agents', { load: 0.9, nodes: 3, requests: 5000 }))

  it.each(['cache-aware', 'lmetric', 'marginal-cost', 'min-ttft', 'kv-cost', 'sticky', 'session'])(
    '%s finds the caches: a tenth of the wait that those have which only count',
    (name) => {
      for (const counting of ['round-robin', 'least-requests', 'least-tokens', 'two-choices'])
        expect(race.p90(name)).toBeLessThan(0.1 * race.p90(counting))
    },
  )

  it('marginal-cost weighs lost work and time: better than lmetric, min-ttft and kv-cost in the mean', () => {
    for (const other of ['lmetric', 'min-ttft', 'kv-cost']) expect(race.mean('marginal-cost')).toBeLessThan(race.mean(other))
  })

  it('adaptive, the default, is no worse than the better of lmetric and marginal-cost', () => {
    expect(race.p90('adaptive')).toBeLessThan(1.1 * Math.min(race.p90('lmetric'), race.p90('marginal-cost')))
    expect(race.mean('adaptive')).toBeLessThan(1.1 * Math.min(race.mean('lmetric'), race.mean('marginal-cost')))
  })

  it('prefix-hash keeps a tool that everybody uses on one node, until that is over its bound', () => {
    expect(race.p90('prefix-hash')).toBeLessThan(0.5 * race.p90('least-requests'))
    expect(race.p90('prefix-hash')).toBeGreaterThan(3 * race.p90('lmetric'))
  })

  it('kv-cost counts a block to hold like a block to compute, and waits longer than lmetric', () => {
    expect(race.p90('kv-cost')).toBeGreaterThan(1.2 * race.p90('lmetric'))
  })
})

describe('system prompts of many tenants, single questions', () => {
  const race = new Race(shapedCourse('tenants', { load: 0.9, requests: 9000 }))

  it('lmetric, marginal-cost and min-ttft weigh cache against queue: less wait than cache-aware, which switches between them', () => {
    for (const name of ['lmetric', 'marginal-cost', 'min-ttft']) expect(race.p90(name)).toBeLessThan(0.75 * race.p90('cache-aware'))
  })

  it('prefix-hash spares most of the work with nothing to remember', () => {
    expect(race.mean('prefix-hash')).toBeLessThan(0.7 * race.mean('least-requests'))
  })

  it('sticky has no conversation to go by, and does what least-requests does', () => {
    expect(race.mean('sticky')).toBeCloseTo(race.mean('least-requests'), 6)
    expect(race.p90('lmetric')).toBeLessThan(0.5 * race.p90('sticky'))
  })

  it('session and ip-hash pin a big tenant to a node: worse than not looking', () => {
    for (const name of ['session', 'ip-hash']) expect(race.p90(name)).toBeGreaterThan(2 * race.p90('least-requests'))
  })
})

describe('conversations on nodes that are too few for them', () => {
  const race = new Race(shapedCourse('talks', { load: 1.05, nodes: 2, requests: 8000 }))

  it('sticky, session and ip-hash keep each conversation at its cache: a third of the wait of least-requests', () => {
    for (const name of ['sticky', 'session', 'ip-hash']) expect(race.p90(name)).toBeLessThan(0.33 * race.p90('least-requests'))
  })

  it('those who leave a busy cache lose it for the rest of the conversation; sticky does not', () => {
    for (const name of ['lmetric', 'marginal-cost', 'adaptive', 'cache-aware']) expect(race.mean('sticky')).toBeLessThan(race.mean(name))
  })
})

describe('bursts of prompts that share little', () => {
  const race = new Race(shapedCourse('bursts', { load: 0.8, requests: 8000 }))

  it('round-robin and two-choices spread better than random', () => {
    for (const name of ['round-robin', 'two-choices']) expect(race.p90(name)).toBeLessThan(0.95 * race.p90('random'))
  })

  it('lmetric, marginal-cost and min-ttft see the work: less wait than any that counts', () => {
    for (const name of ['lmetric', 'marginal-cost', 'min-ttft'])
      for (const counting of ['round-robin', 'least-requests', 'least-tokens', 'two-choices'])
        expect(race.p90(name)).toBeLessThan(0.9 * race.p90(counting))
  })

  it('prefix-hash and kv-cost look at prefixes that hardly matter', () => {
    expect(race.p90('prefix-hash')).toBeGreaterThan(1.2 * race.p90('lmetric'))
    expect(race.p90('kv-cost')).toBeGreaterThan(1.1 * race.p90('lmetric'))
  })
})

describe('every fourth request is a heavy one, and there are four nodes', () => {
  const race = new Race({
    nodes: fleet(4),
    workload: evenCourse(
      (at) => (at % 4 === 0 ? { promptTokens: 6000, outputTokens: 400 } : { promptTokens: 100, outputTokens: 20 }),
      12,
      1600,
    ),
  })

  it('round-robin gives one node all heavy ones; random does not', () => {
    expect(race.mean('random')).toBeLessThan(0.8 * race.mean('round-robin'))
  })

  it('least-tokens knows how heavy a request is, and beats both', () => {
    for (const name of ['round-robin', 'random']) expect(race.mean('least-tokens')).toBeLessThan(0.95 * race.mean(name))
  })
})

describe('long prompts with short answers between short prompts', () => {
  const random = seededRandom(5)
  const long = Array.from({ length: 3000 }, () => random.next() < 0.08)
  const race = new Race({
    nodes: fleet(4),
    workload: evenCourse(
      (at) => (long[at] ? { promptTokens: 12_000, outputTokens: 20 } : { promptTokens: 200, outputTokens: 60 }),
      24,
      3000,
    ),
  })

  it('least-tokens avoids the node with the long prompt, least-requests and two-choices of requests do not see it', () => {
    expect(race.p90('least-tokens')).toBeLessThan(0.9 * race.p90('least-requests'))
    expect(race.p90('least-tokens')).toBeLessThan(0.9 * race.p90('two-choices', { measure: 'requests' }))
  })

  it('one balancer alone does not need two choices: looking at all nodes is better', () => {
    expect(race.p90('least-tokens')).toBeLessThan(race.p90('two-choices'))
  })

  it('least-tokens counts tokens that are computed already; who counts what is left waits less', () => {
    expect(race.p90('lmetric')).toBeLessThan(race.p90('least-tokens'))
  })
})

describe('half the nodes three times slower', () => {
  const weight = [1, 1, 1 / 3, 1 / 3]
  const random = seededRandom(9)
  const sizes = Array.from({ length: 2000 }, () => ({
    promptTokens: 200 + Math.floor(1500 * random.next()),
    outputTokens: 50 + Math.floor(200 * random.next()),
  }))
  const course = { workload: evenCourse((at) => sizes[at]!, 16, 2000) }
  const nodes = fleet(4).map((node, index) => ({ ...node, slowness: 1 / weight[index]! }))
  const told = new Race({ ...course, nodes: nodes.map((node, index) => ({ ...node, weight: weight[index]! })) })
  const untold = new Race({ ...course, nodes })

  it('round-robin and random drown the slow nodes; least-requests does not', () => {
    for (const name of ['round-robin', 'random']) expect(untold.p90('least-requests')).toBeLessThan(0.5 * untold.p90(name))
  })

  it('told of it by weights, weighted-random beats random, and still loses to those who look', () => {
    expect(told.p90('weighted-random')).toBeLessThan(0.7 * told.p90('random'))
    expect(told.p90('least-requests')).toBeLessThan(told.p90('weighted-random'))
  })

  it('marginal-cost learns it by itself; lmetric has no word for it', () => {
    expect(untold.mean('marginal-cost')).toBeLessThan(0.95 * untold.mean('lmetric'))
  })
})
