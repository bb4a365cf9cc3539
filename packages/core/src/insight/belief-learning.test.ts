import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { Candidate, Strategy } from '../contracts/index.js'
import type { Belief } from './belief.js'
import { factsOfBlocks, nodesOf } from './prompts.test.fixture.js'
import { expectedStepMs } from './speed-book.js'
import { createBelief } from './thread-belief.js'

function scene(count: number): { clock: FakeClock; belief: Belief; nodes: Candidate[] } {
  const clock = new FakeClock()
  return { clock, belief: createBelief({ clock, capacity: count }), nodes: nodesOf(count) }
}

describe('slowness', () => {
  /** One request of one node at a time, so that each gap is as long as it is meant to be. */
  function train({ clock, belief }: ReturnType<typeof scene>, node: Candidate, factor: number, samples = 40): void {
    const lease = belief.open(node, factsOfBlocks([], 100))
    lease.firstToken()
    for (let sample = 0; sample <= samples; sample += 1) {
      clock.advance(factor * 4 * expectedStepMs(1, 100))
      lease.tokens(4)
    }
    lease.settle({ outcome: 'answered' })
  }

  it('is 1 for a node without samples, and for nodes that are alike', () => {
    const all = scene(3)
    expect(all.belief.of({ index: 2 }).slowness).toBe(1)
    for (const [at, node] of all.nodes.entries()) train(all, node, 1 + at / 10)
    expect(all.nodes.map((node) => all.belief.of(node).slowness)).toEqual([1, 1, 1])
  })

  it('is what a slow node takes longer than the median one; it comes back when the node gets well', () => {
    const all = scene(4)
    for (const [at, node] of all.nodes.entries()) train(all, node, at === 3 ? 4 : 1)
    expect(all.belief.of({ index: 3 }).slowness).toBeCloseTo(4, 1)
    expect(all.belief.of({ index: 0 }).slowness).toBe(1)
    const last = all.nodes[3]
    if (last !== undefined) train(all, last, 1)
    expect(all.belief.of({ index: 3 }).slowness).toBe(1)
  })

  it('is seen at once where it is large; a small one needs all samples', () => {
    const believed = [8, 16, 24, 32].map((samples) => {
      const all = scene(5)
      for (const [at, node] of all.nodes.entries()) train(all, node, [1, 1, 1, 1.7, 4][at] ?? 1, samples)
      return [3, 4].map((index) => Math.round(all.belief.of({ index }).slowness * 10) / 10)
    })
    expect(believed).toEqual([
      [1, 4],
      [1, 4],
      [1.7, 4],
      [1.7, 4],
    ])
  })

  it('is believed less and less where nobody measures: the node is tried again', () => {
    const all = scene(4)
    for (const [at, node] of all.nodes.entries()) train(all, node, at === 3 ? 4 : 1)
    all.clock.advance(30_000 + 60_000)
    expect(all.belief.of({ index: 3 }).slowness).toBeLessThan(1.8)
    expect(all.belief.of({ index: 3 }).slowness).toBeGreaterThan(1.5)
  })

  it('is not learned from gaps in which a prompt was computed, nor from the time to the first token', () => {
    const all = scene(2)
    const [slow, other] = all.nodes
    if (slow === undefined || other === undefined) throw new Error('two nodes')
    train(all, other, 1)
    const lease = all.belief.open(slow, factsOfBlocks([], 100))
    all.clock.advance(60_000)
    lease.firstToken()
    for (let gap = 0; gap < 60; gap += 1) {
      const prefill = all.belief.open(slow, factsOfBlocks([], 5_000))
      all.clock.advance(400)
      prefill.firstToken()
      prefill.settle({ outcome: 'answered' })
      lease.tokens(4)
    }
    expect(all.belief.of(slow).slowness).toBe(1)
  })

  it('is not learned from an answer that its client takes slowly', () => {
    const all = scene(2)
    const [mine, other] = all.nodes
    if (mine === undefined || other === undefined) throw new Error('two nodes')
    train(all, other, 1)
    train(all, mine, 1)
    const lease = all.belief.open(mine, factsOfBlocks([], 100))
    lease.firstToken()
    lease.tokens(4)
    lease.heldUp?.()
    for (let gap = 0; gap < 60; gap += 1) {
      all.clock.advance(2_000)
      lease.tokens(4)
    }
    expect(all.belief.of(mine).slowness).toBe(1)
  })

  it('is learned beside answers that come whole, once their prompts must have been computed, and not before', () => {
    const clock = new FakeClock()
    const gaps: number[] = []
    const belief = createBelief({ clock, capacity: 1, onGap: (_, { msPerToken }) => gaps.push(msPerToken) })
    const [node] = nodesOf(1)
    if (node === undefined) throw new Error('one node')
    const stream = belief.open(node, factsOfBlocks([], 100))
    clock.advance(200)
    stream.firstToken()
    const speak = (times: number): number => {
      gaps.length = 0
      for (let time = 0; time < times; time += 1) {
        clock.advance(80)
        stream.tokens(4)
      }
      return gaps.length
    }
    expect(speak(10)).toBe(9)
    const plain = { ...factsOfBlocks([], 100), stream: false }
    const whole = belief.open(node, plain)
    const long = belief.open(node, { ...plain, promptTokens: 1_000 })
    expect(speak(4)).toBe(0)
    // The short one's prompt is there after twice what a stream's takes; the long one's takes ten times as long.
    long.settle({ outcome: 'answered' })
    expect(speak(10)).toBeGreaterThan(7)
    whole.settle({ outcome: 'answered' })
    expect(speak(10)).toBe(10)
    expect(belief.of(node).waiting).toBe(0)
  })

  it('is told, gap by gap, to whoever judges nodes: from the second token on, and what the node had to do', () => {
    const clock = new FakeClock()
    const gaps: unknown[] = []
    const belief = createBelief({ clock, capacity: 1, onGap: (index, gap) => gaps.push({ index, ...gap }) })
    const [node] = nodesOf(1)
    if (node === undefined) throw new Error('one node')
    const lease = belief.open(node, factsOfBlocks([], 100))
    lease.firstToken()
    lease.tokens(1)
    clock.advance(100)
    lease.tokens(1)
    clock.advance(40)
    lease.tokens(4)
    expect(gaps).toEqual([
      { index: 0, msPerToken: 100, decoding: 1, kvTokens: 100 },
      { index: 0, msPerToken: 10, decoding: 1, kvTokens: 100 },
    ])
  })

  it('compares the nodes of one pool only, and forgets with the node', () => {
    const all = scene(2)
    const [mine, other] = all.nodes
    if (mine === undefined || other === undefined) throw new Error('two nodes')
    train(all, mine, 6)
    train(all, { ...other, id: 'large/n-1' }, 1)
    expect(all.belief.of(mine).slowness).toBe(1)
    const three = scene(3)
    for (const [at, node] of three.nodes.entries()) train(three, node, at === 2 ? 3 : 1)
    expect(three.belief.of({ index: 2 }).slowness).toBeCloseTo(3, 1)
    three.belief.forget(2)
    expect(three.belief.of({ index: 2 }).slowness).toBe(1)
  })
})

describe('what answers tell of caches', () => {
  const serve = (belief: Belief, node: Candidate, blocks: readonly number[], cachedTokens?: number): void => {
    const facts = factsOfBlocks(blocks)
    const lease = belief.open(node, facts)
    lease.firstToken()
    const usage = { promptTokens: facts.promptTokens, completionTokens: 5, ...(cachedTokens === undefined ? {} : { cachedTokens }) }
    lease.settle({ outcome: 'answered', usage })
  }
  const chain = (family: number, length = 20): number[] => Array.from({ length }, (_, at) => family * 1_000 + at)
  const present = (belief: Belief, blocks: readonly number[]): number =>
    belief.cachedTokens(factsOfBlocks(blocks), nodesOf(1)).presentTokens[0] ?? 0

  it('a miss forgets what the engine must have forgotten before, and keeps what it has computed since', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    serve(belief, node, chain(1))
    serve(belief, node, chain(2))
    serve(belief, node, chain(3))
    // The second prompt is gone from the engine: so is the first, which was let go before it.
    serve(belief, node, chain(2), 0)
    expect([1, 2, 3].map((family) => present(belief, chain(family)))).toEqual([0, 320, 320])
  })

  it('an engine that tells what it found and once says nothing has found nothing; one that never tells says nothing', () => {
    for (const tells of [true, false]) {
      const { belief, nodes } = scene(1)
      const [node] = nodes
      if (node === undefined) throw new Error('one node')
      serve(belief, node, chain(1), tells ? 0 : undefined)
      serve(belief, node, chain(2))
      serve(belief, node, chain(2))
      expect(belief.mirrorOf(0).trust).toBeCloseTo(tells ? 0.9 : 1, 6)
      expect(present(belief, chain(1))).toBe(tells ? 0 : 320)
    }
  })

  it('a hit changes nothing', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    serve(belief, node, chain(1))
    serve(belief, node, chain(2))
    serve(belief, node, chain(2), 320)
    expect([1, 2].map((family) => present(belief, chain(family)))).toEqual([320, 320])
    expect(belief.mirrorOf(0).capacityTokens).toBe(400_000)
    expect(belief.mirrorOf(0).trust).toBe(1)
  })

  it('an engine that never finds anything is not believed to hold anything, until it finds something again', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    for (let time = 0; time < 40; time += 1) serve(belief, node, chain(1), 0)
    expect(present(belief, chain(1))).toBe(0)
    expect(belief.of(node).cacheSource).toBe('none')
    for (let time = 0; time < 10; time += 1) serve(belief, node, chain(1), 320)
    expect(present(belief, chain(1))).toBe(320)
    expect(belief.of(node).cacheSource).toBe('mirror')
  })

  it('a capacity is what the engine says, and less where misses show less', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    belief.learnLoad(0, { kvBlocks: 100, kvBlockTokens: 16 })
    expect(belief.mirrorOf(0).capacityTokens).toBe(1_600)
    for (let family = 0; family < 10; family += 1) serve(belief, node, chain(family))
    expect(belief.mirrorOf(0).tokens).toBeLessThanOrEqual(1_600)
    serve(belief, node, chain(6), 0)
    expect(belief.mirrorOf(0).capacityTokens).toBeLessThan(1_600)
    expect(belief.mirrorOf(0).capacityTokens).toBeGreaterThanOrEqual(1_440)
    belief.learnLoad(0, { kvBlocks: 100, kvBlockTokens: 16 })
    expect(belief.mirrorOf(0).capacityTokens).toBeLessThan(1_600)
  })

  it('what a driver says that the node holds is believed, the answer too', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    const lease = belief.open(node, factsOfBlocks(chain(1, 4)))
    lease.firstToken()
    lease.settle({ outcome: 'answered', holds: factsOfBlocks(chain(1, 7)) })
    expect(present(belief, chain(1, 9))).toBe(7 * 16)
  })
})

describe('answers that come whole', () => {
  it('are begun, as far as anybody can tell, when one that was sent later is: engines compute prompts in order', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    const plain = [1, 2, 3].map((family) => belief.open(node, factsOfBlocks([family], 100, { stream: false })))
    const stream = belief.open(node, factsOfBlocks([4], 100))
    const last = belief.open(node, factsOfBlocks([5], 100, { stream: false }))
    expect([belief.of(node).waiting, belief.of(node).prefillTokens]).toEqual([5, 500])
    plain[1]?.settle({ outcome: 'answered' })
    expect([belief.of(node).waiting, belief.of(node).kvTokens]).toEqual([3, 100])
    stream.firstToken()
    expect([belief.of(node).waiting, belief.of(node).prefillTokens, belief.of(node).headPrefillTokens]).toEqual([1, 100, 100])
    for (const lease of [...plain, stream, last]) lease.settle({ outcome: 'answered' })
    expect([belief.of(node).waiting, belief.of(node).prefillTokens, belief.of(node).kvTokens]).toEqual([0, 0, 0])
  })

  it('say nothing of those before them when they fail', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    belief.open(node, factsOfBlocks([1], 100, { stream: false }))
    belief.open(node, factsOfBlocks([2], 100, { stream: false })).settle({ outcome: 'failed' })
    expect(belief.of(node).waiting).toBe(1)
  })
})

describe('an engine that was started anew behind its node', () => {
  it('holds nothing: its counts go down', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    const facts = factsOfBlocks([1, 2, 3])
    const lease = belief.open(node, facts)
    lease.settle({ outcome: 'answered' })
    const cached = (): number | undefined => belief.cachedTokens(facts, nodes).presentTokens[0]
    belief.learnLoad(0, { promptTokens: 5_000 })
    belief.learnLoad(0, { promptTokens: 6_000 })
    expect(cached()).toBe(48)
    belief.learnLoad(0, { promptTokens: 20 })
    expect(cached()).toBe(0)
  })
})

describe('tokens that a node reads', () => {
  it('count a prefix once that requests share, until the last of them ends', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    const facts = factsOfBlocks([1, 2, 3, 4], 100, { outputTokens: 20 })
    const leases = [0, 1, 2].map(() => belief.open(node, facts))
    expect(belief.of(node).kvTokens).toBe(0)
    for (const lease of leases) lease.firstToken()
    // 64 shared, and of each 36 of the prompt and half the answer.
    expect(belief.of(node).kvTokens).toBe(64 + 3 * 46)
    leases[0]?.settle()
    expect(belief.of(node).kvTokens).toBe(64 + 2 * 46)
    belief.clearCache(0)
    expect(belief.of(node).kvTokens).toBe(2 * 46)
    leases[1]?.settle()
    leases[2]?.settle()
    expect(belief.of(node).kvTokens).toBe(0)
  })
})

describe('a strategy that fails over news', () => {
  const failing: Strategy = {
    pick: () => 0,
    observe: () => {
      throw new Error('not again')
    },
  }

  it('gets no request, and leaves no count behind', () => {
    const { belief, nodes } = scene(1)
    const [node] = nodes
    if (node === undefined) throw new Error('one node')
    expect(() => belief.open(node, factsOfBlocks([1]), failing)).toThrow('not again')
    expect([belief.of(node).inFlight, belief.of(node).waiting, belief.of(node).prefillTokens]).toEqual([0, 0, 0])
  })

  it('does not stop an answer that is on its way', () => {
    const faults: unknown[] = []
    const clock = new FakeClock()
    const belief = createBelief({ clock, capacity: 1, onFault: (error) => faults.push(error) })
    const late: Strategy = {
      pick: () => 0,
      observe: ({ kind }) => {
        if (kind !== 'dispatched') throw new Error(kind)
      },
    }
    const lease = belief.open({ id: 'p/n', index: 0, weight: 1 }, factsOfBlocks([1]), late)
    lease.firstToken()
    lease.settle({ outcome: 'answered' })
    expect(faults.map(String)).toEqual(['Error: first-token', 'Error: settled'])
    expect(belief.countOf(0)).toBe(0)
  })
})
