import { describe, expect, it } from 'vitest'
import { openSource, simulate, type Fault, type SimulatedNode, type SimulationOptions, type SimulationResult } from './index.js'

/**
 * Where the strategies that learn from answers win, and where they lose: short seeded runs on 8 modelled nodes, judged by order, with a margin. The tables
 * with all strategies are those of `npm run bench:routing`.
 */
interface Scene {
  readonly source: string
  /** Multiple of what 8 nodes are meant to serve. */
  readonly rate: number
  readonly node?: (index: number) => Partial<SimulatedNode>
  readonly faults?: readonly Fault[]
  readonly more?: Partial<SimulationOptions>
}

function run({ source, rate, node = () => ({}), faults = [], more = {} }: Scene, name: string, settings: object = {}): SimulationResult {
  const { profile = '8b-a100', ratePer8, workload } = openSource(source)
  const nodes = Array.from({ length: 8 }, (_, index): SimulatedNode => ({ preset: profile, ...node(index) }))
  const strategy = { name, settings: { ...settings } }
  return simulate({ nodes, workload: workload({ seed: 7, requests: 4_000 }), strategy, rate: rate * ratePer8, faults, ...more })
}

const halfSlow = (index: number): Partial<SimulatedNode> => (index < 4 ? { slowness: 2 } : {})
/** One node takes 20 times as long for a while, and nobody is told. */
const stall: readonly Fault[] = [
  { kind: 'slow', atMs: 60_000, node: 0, slowness: 20 },
  { kind: 'recover', atMs: 120_000, node: 0 },
]
const steady: Scene = { source: 'azure', rate: 0.6 }
const stalled: Scene = { ...steady, faults: stall }
const agents: Scene = { source: 'agent', rate: 1 }

describe('latency', () => {
  it('wins over taking turns where nodes differ in speed and have room', () => {
    const scene: Scene = { source: 'azure', rate: 0.15, node: halfSlow }
    expect(run(scene, 'latency').e2eMs.mean).toBeLessThan(0.9 * run(scene, 'round-robin').e2eMs.mean)
  })

  it('loses to a mere count of requests when the pool is busy: it sees a queue only when it has been served', () => {
    const busy = { ...steady, rate: 0.8 }
    expect(run(busy, 'latency').ttftMs.p90).toBeGreaterThan(1.5 * run(busy, 'least-requests').ttftMs.p90)
  })
})

describe('peak-ewma', () => {
  it('wins over taking turns when a node stalls', () => {
    expect(run(stalled, 'peak-ewma').ttftMs.p99).toBeLessThan(0.5 * run(stalled, 'round-robin').ttftMs.p99)
  })

  it('loses to lmetric where prompts share beginnings: it knows nothing of caches', () => {
    expect(run(agents, 'peak-ewma').ttftMs.p90).toBeGreaterThan(2 * run(agents, 'lmetric').ttftMs.p90)
  })
})

describe('prequal', () => {
  it('wins over taking turns when a node stalls', () => {
    expect(run(stalled, 'prequal').ttftMs.p99).toBeLessThan(0.5 * run(stalled, 'round-robin').ttftMs.p99)
  })

  it('loses to a mere count of requests among equal nodes: chance makes one look quicker, and it fills', () => {
    expect(run(steady, 'prequal').ttftMs.p90).toBeGreaterThan(1.05 * run(steady, 'least-requests').ttftMs.p90)
  })
})

describe('push-when-idle', () => {
  it('wins over a count of requests where prompts differ in length and nodes in speed', () => {
    const scene = { ...steady, node: halfSlow }
    expect(run(scene, 'push-when-idle').ttftMs.p90).toBeLessThan(0.85 * run(scene, 'least-requests').ttftMs.p90)
  })

  it('loses to lmetric when nodes are rarely free: it takes any that is, and the cache is elsewhere', () => {
    const [pushed, weighed] = [run(agents, 'push-when-idle'), run(agents, 'lmetric')]
    expect(pushed.held).toBeGreaterThan(0)
    expect(pushed.cachedTokenShare).toBeLessThan(weighed.cachedTokenShare)
    expect(pushed.ttftMs.p90).toBeGreaterThan(2 * weighed.ttftMs.p90)
  })
})

describe('scored', () => {
  it('wins over what knows no cache where prompts share beginnings', () => {
    expect(run(agents, 'scored').ttftMs.p90).toBeLessThan(0.5 * run(agents, 'least-tokens').ttftMs.p90)
  })

  it('loses to lmetric, whose product needs no weights', () => {
    expect(run(agents, 'scored').ttftMs.p90).toBeGreaterThan(1.05 * run(agents, 'lmetric').ttftMs.p90)
  })
})

describe('predicted-latency', () => {
  it('wins over lmetric where nodes are of unlike speed, which it learns, and says how wrong it was', () => {
    const scene = { ...agents, rate: 0.6, node: halfSlow }
    const learned = run(scene, 'predicted-latency')
    expect(learned.ttftMs.p90).toBeLessThan(0.95 * run(scene, 'lmetric').ttftMs.p90)
    expect(learned.strategyReport).toMatchObject({ isFollowed: 1 })
    expect(learned.strategyReport['ttftError']).toBeLessThan(0.4)
  })

  it('loses to lmetric in bursts: it looks after each request alone, not after those beside it', () => {
    const scene: Scene = { source: 'bursty', rate: 0.7, node: halfSlow }
    expect(run(scene, 'predicted-latency').ttftMs.p90).toBeGreaterThan(1.05 * run(scene, 'lmetric').ttftMs.p90)
  })
})

describe('slo', () => {
  const scene: Scene = { ...steady, node: halfSlow, more: { sloTtftMs: 300 } }

  it('keeps a tight objective more often than lmetric where nodes are of unlike speed', () => {
    expect(run(scene, 'slo', { headroom: 'most' }).inObjectiveShare).toBeGreaterThan(run(scene, 'lmetric').inObjectiveShare)
  })

  it('loses in whole time with the least headroom: it fills nodes up to the objective on purpose', () => {
    expect(run(steady, 'slo').e2eMs.mean).toBeGreaterThan(1.2 * run(steady, 'lmetric').e2eMs.mean)
  })
})

describe('provider-score', () => {
  /** The second costs half as much; one fails. */
  const priced: Scene = {
    source: 'azure',
    rate: 0.05,
    node: (index) => ({ price: { promptPerMillion: index === 1 ? 1 : 2, outputPerMillion: index === 1 ? 1 : 2 } }),
  }

  function costOf({ perNode }: SimulationResult): number {
    return perNode.reduce((sum, { promptTokens, outputTokens }, index) => sum + (promptTokens + outputTokens) * (index === 1 ? 1 : 2), 0)
  }

  it('wins in money', () => {
    expect(costOf(run(priced, 'provider-score'))).toBeLessThan(0.6 * costOf(run(priced, 'round-robin')))
  })

  it('loses in time when the cheap provider has no room for all: it does not look at load', () => {
    const busy = { ...priced, rate: 0.6 }
    expect(run(busy, 'provider-score').e2eMs.mean).toBeGreaterThan(2 * run(busy, 'round-robin').e2eMs.mean)
  })
})
