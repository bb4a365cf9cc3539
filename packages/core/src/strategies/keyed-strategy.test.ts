import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candidate, Strategy } from '../contracts/index.js'
import { beliefOf, factsOf, nodesOf, promptOf, recordingTrace, strategyOf } from './scene.test.fixture.js'

const ways = ['ring', 'rendezvous'] as const
const keys = Array.from({ length: 3000 }, (_, index) => `conversation-${index}`)
const roomy = (hash: string): object => ({ hash, bound: 1000 })

function placesOf(strategy: Strategy, candidates: readonly Candidate[]): string[] {
  return keys.map((session) => candidates[strategy.pick(factsOf({ session }), candidates)]!.id)
}

describe.each(ways)('session by %s', (hash) => {
  it('keeps each conversation on its node, in every order of the candidates and in every copy of the strategy', () => {
    const nodes = nodesOf([1, 1, 1, 1, 1])
    const places = placesOf(strategyOf('session', { settings: roomy(hash) }), nodes)
    expect(placesOf(strategyOf('session', { settings: roomy(hash), seed: 9 }), nodes.toReversed())).toEqual(places)
    const again = nodes.map((node) => ({ ...node, incarnation: 3 }))
    expect(placesOf(strategyOf('session', { settings: roomy(hash) }), again)).toEqual(places)
  })

  it('moves about one key in N when a node is added, all of them to the new node', () => {
    const strategy = strategyOf('session', { settings: roomy(hash) })
    const nodes = nodesOf(Array.from({ length: 10 }, () => 1))
    const before = placesOf(strategy, nodes.slice(0, 9))
    const after = placesOf(strategy, nodes)
    const moved = after.filter((place, index) => place !== before[index])
    expect(new Set(moved)).toEqual(new Set(['pool/n-9']))
    expect(moved.length / keys.length).toBeGreaterThan(0.06)
    expect(moved.length / keys.length).toBeLessThan(0.15)
  })

  it('moves only the keys of a node that is gone or left out, and gives them back after', () => {
    const strategy = strategyOf('session', { settings: roomy(hash) })
    const nodes = nodesOf([1, 1, 1, 1, 1, 1])
    const before = placesOf(strategy, nodes)
    const without = placesOf(
      strategy,
      nodes.filter((node) => node.index !== 2),
    )
    for (const [index, place] of before.entries()) if (place !== 'pool/n-2') expect(without[index]).toBe(place)
    expect(new Set(without.filter((_, index) => before[index] === 'pool/n-2')).size).toBe(5)
    expect(placesOf(strategy, nodes)).toEqual(before)
  })

  it('shares keys in proportion to weight', () => {
    const places = placesOf(strategyOf('session', { settings: roomy(hash) }), nodesOf([1, 1, 2, 4]))
    for (const [index, weight] of [1, 1, 2, 4].entries()) {
      const share = places.filter((place) => place === `pool/n-${index}`).length / keys.length
      expect(Math.abs(share - weight / 8)).toBeLessThan(0.06)
    }
  })

  it('never lets a node have more than its bound, if one client asks everything', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0.5, 1, 3), { minLength: 2, maxLength: 8 }),
        fc.constantFrom(1.05, 1.25, 2),
        (weights, bound) => {
          const loads = weights.map(() => ({ inFlight: 0 }))
          const strategy = strategyOf('session', { belief: beliefOf(loads), settings: { hash, bound } })
          const total = weights.reduce((sum, weight) => sum + weight, 0)
          for (let request = 1; request <= 60; request += 1) {
            const picked = strategy.pick(factsOf({ client: 'one' }), nodesOf(weights))
            loads[picked]!.inFlight += 1
            expect(loads[picked]!.inFlight).toBeLessThanOrEqual(Math.ceil((bound * request * weights[picked]!) / total))
          }
        },
      ),
    )
  })

  it('says whether the key is at home or passed on', () => {
    const loads = [{ inFlight: 0 }, { inFlight: 0 }, { inFlight: 0 }]
    const strategy = strategyOf('session', { belief: beliefOf(loads), settings: { hash } })
    const trace = recordingTrace()
    const home = strategy.pick(factsOf({ session: 's' }), nodesOf([1, 1, 1]), trace)
    expect(trace.costs[home]!['distance']).toBe(Math.min(...trace.costs.map((terms) => terms['distance']!)))
    loads[home]!.inFlight = 50
    expect(strategy.pick(factsOf({ session: 's' }), nodesOf([1, 1, 1]), trace)).not.toBe(home)
    expect(trace.reasons).toEqual([
      'its conversation belongs there',
      'the node of its conversation has more than its share, and it is the next',
    ])
  })
})

describe('what the keyed strategies go by', () => {
  const nodes = nodesOf(Array.from({ length: 40 }, () => 1))
  const places = (name: string, requests: readonly ReturnType<typeof factsOf>[], settings = {}): number =>
    new Set(requests.map((facts) => strategyOf(name, { settings: { bound: 1000, ...settings } }).pick(facts, nodes))).size

  it('session: the conversation, and the client only where none is named', () => {
    expect(places('session', [factsOf({ session: 's', client: 'a' }), factsOf({ session: 's', client: 'b' })])).toBe(1)
    expect(places('session', [factsOf({ session: 's', client: 'a' }), factsOf({ session: 't', client: 'a' })])).toBe(2)
    expect(places('session', [factsOf({ client: 'a' }), factsOf({ client: 'a' })])).toBe(1)
  })

  it('ip-hash: the address, whoever asks from there', () => {
    expect(
      places('ip-hash', [
        factsOf({ client: 'key-a', address: '10.0.0.1', session: 's' }),
        factsOf({ client: 'key-b', address: '10.0.0.1' }),
      ]),
    ).toBe(1)
    expect(places('ip-hash', [factsOf({ client: 'key-a', address: '10.0.0.1' }), factsOf({ client: 'key-a', address: '10.0.0.2' })])).toBe(
      2,
    )
  })

  it('prefix-hash: the first 256 tokens in whole blocks, or as many as it is told', () => {
    const long = (last: number): ReturnType<typeof factsOf> => promptOf([1, 2, 3, 4, 5, 6, last])
    expect(places('prefix-hash', [long(7), long(8)])).toBe(1)
    expect(places('prefix-hash', [promptOf([1, 2, 3, 4, 5, 6]), promptOf([1, 2, 3, 4, 5, 7])])).toBe(2)
    expect(places('prefix-hash', [promptOf([1, 2, 3]), promptOf([1, 2, 4])], { prefixTokens: 100 })).toBe(1)
  })

  it('prefix-hash sends a prompt too short for a block where the fewest requests are', () => {
    const belief = beliefOf([{ inFlight: 3 }, { inFlight: 1 }, { inFlight: 2 }])
    expect(strategyOf('prefix-hash', { belief }).pick(factsOf(), nodesOf([1, 1, 1]))).toBe(1)
  })
})
