import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candidate, RequestFacts, Strategy } from '../contracts/index.js'
import { PrefixHistory } from './prefix-history.js'
import { beliefOf, nodesOf, promptOf, recordingTrace, strategyOf } from './scene.test.fixture.js'

const nodes = nodesOf([1, 1, 1])

function send(strategy: Strategy, facts: RequestFacts, candidates: readonly Candidate[] = nodes): string {
  const node = candidates[strategy.pick(facts, candidates)]!
  strategy.observe?.({ kind: 'dispatched', facts, node, atMs: 0 })
  return node.id
}

describe('cache-aware', () => {
  it('sends the rest of a conversation where its beginning went', () => {
    const strategy = strategyOf('cache-aware')
    const first = send(strategy, promptOf([1, 2, 3]))
    for (let turn = 4; turn < 12; turn += 1)
      expect(send(strategy, promptOf(Array.from({ length: turn }, (_, index) => index + 1)))).toBe(first)
  })

  it('sends cold prompts where the least was sent, however busy that node is', () => {
    const belief = beliefOf([{ inFlight: 1 }, { inFlight: 2 }, { inFlight: 30 }])
    const strategy = strategyOf('cache-aware', { belief })
    const places = [10, 20, 30].map((text) => send(strategy, promptOf([text, text + 1])))
    expect(new Set(places)).toEqual(new Set(nodes.map((node) => node.id)))
  })

  it('forgets the cache once queues are uneven by count and by ratio', () => {
    const sendTwice = (inFlight: readonly number[]): boolean => {
      const loads = [{ inFlight: 0 }, { inFlight: 0 }, { inFlight: 0 }]
      const strategy = strategyOf('cache-aware', { belief: beliefOf(loads) })
      const held = nodes.findIndex((node) => node.id === send(strategy, promptOf([1, 2])))
      for (const [turn, load] of loads.entries()) load.inFlight = inFlight[(turn - held + 3) % 3]!
      return send(strategy, promptOf([1, 2])) === nodes[held]!.id
    }
    expect(sendTwice([32, 0, 1])).toBe(true)
    expect(sendTwice([33, 0, 1])).toBe(false)
    expect(sendTwice([433, 400, 400])).toBe(true)
  })

  it('takes half of a prompt for too little, and more than half for enough', () => {
    const strategy = strategyOf('cache-aware')
    const held = send(strategy, promptOf([1]))
    expect(send(strategy, promptOf([1, 9]))).not.toBe(held)
    const other = strategyOf('cache-aware', { settings: { threshold: 0.4 } })
    expect(send(other, promptOf([1]))).toBe(send(other, promptOf([1, 9])))
  })

  it('begins anew with a node that left, and with another process behind its name', () => {
    const strategy = strategyOf('cache-aware')
    const held = nodes.find((node) => node.id === send(strategy, promptOf([1, 2])))!
    const again = nodes.map((node) => ({ ...node, incarnation: 1 }))
    const trace = recordingTrace()
    strategy.pick(promptOf([1, 2]), again, trace)
    expect(trace.reasons).toEqual(['no node was sent enough of this prompt, and it was sent the least'])
    strategy.observe?.({ kind: 'node-gone', id: held.id, index: held.index })
    strategy.pick(promptOf([1, 2]), nodes, trace)
    expect(trace.costs).toEqual([{ sent: 1 }, { sent: 1 }, { sent: 1 }])
  })
})

describe('the history of one node', () => {
  it('knows exactly the prefixes of what was added, while there is room', () => {
    const prompt = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(fc.array(prompt, { maxLength: 20 }), prompt, (sent, asked) => {
        const history = new PrefixHistory(1e9)
        for (const each of sent) history.add(promptOf(each))
        const shared = Math.max(0, ...sent.map((each) => commonLength(each, asked)))
        expect(history.matchedTokens(promptOf(asked))).toBe(50 * shared)
      }),
    )
  })

  it('keeps to its bound and forgets the ends of prompts before their beginnings', () => {
    const prompt = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(fc.array(prompt, { minLength: 1, maxLength: 40 }), (sent) => {
        const history = new PrefixHistory(600)
        for (const each of sent) {
          history.add(promptOf(each))
          expect(history.heldTokens).toBeLessThanOrEqual(600)
          expect(history.matchedTokens(promptOf(each))).toBe(50 * each.length)
        }
        for (const each of sent) {
          const held = history.matchedTokens(promptOf(each)) / 50
          expect(history.matchedTokens(promptOf(each.slice(0, held)))).toBe(50 * held)
        }
      }),
    )
  })
})

function commonLength(one: readonly number[], other: readonly number[]): number {
  const differs = one.findIndex((id, at) => other[at] !== id)
  return differs < 0 ? one.length : differs
}
