import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candidate } from '../contracts/index.js'
import { builtinStrategies } from './index.js'
import { Life } from './life.test.fixture.js'
import { NodeTable } from './node-table.js'
import { nodesOf, recordingTrace } from './scene.test.fixture.js'

const state = fc.record({
  inFlight: fc.nat(300),
  waiting: fc.nat(20),
  tokensInFlight: fc.nat(500_000),
  prefillTokens: fc.nat(50_000),
  kvTokens: fc.nat(500_000),
  cachedTokens: fc.nat(99),
})
const turn = fc.record({
  states: fc.array(state, { minLength: 5, maxLength: 5 }),
  /** Which of the five nodes may be chosen. */
  mask: fc.integer({ min: 1, max: 31 }),
  passedMs: fc.nat(30_000),
  outcome: fc.constantFrom('answered', 'answered', 'failed', 'cancelled'),
  ttftMs: fc.nat(5_000),
  outputTokens: fc.nat(300),
  restarted: fc.boolean(),
  promptTokens: fc.integer({ min: 1, max: 20_000 }),
  session: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
})
type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never

/** What is chosen over a story; with a trace or without one. Every choice is checked against what may be chosen. */
function choices(name: string, turns: readonly Turn[], isTraced: boolean): number[] {
  const life = new Life(name, { seed: 9 })
  const incarnations = [0, 0, 0, 0, 0]
  return turns.map(({ states, mask, passedMs, restarted, promptTokens, session, ...fate }, at) => {
    life.clock.advance(passedMs)
    for (const [index, each] of states.entries()) life.state(index, each)
    if (restarted) {
      incarnations[at % 5]! += 1
      life.leave(nodesOf([1, 2, 1, 1, 4])[at % 5]!)
    }
    const candidates = nodesOf([1, 2, 1, 1, 4])
      .map((node): Candidate => ({ ...node, incarnation: incarnations[node.index]! }))
      .filter(({ index }) => (mask >> index) & 1)
    const facts = { id: `r${at}`, promptTokens, session, client: `c${at % 7}` }
    const trace = recordingTrace()
    const chosen = life.pick(candidates, facts, isTraced ? trace : undefined)
    const node = candidates[chosen]
    if (name !== 'push-when-idle') expect(node).toBeDefined()
    for (const terms of trace.costs) for (const term of Object.values(terms ?? {})) expect(Number.isNaN(term)).toBe(false)
    if (node !== undefined) life.serve(node, fate, facts)
    return node?.index ?? -1
  })
}

describe('every strategy, over a story of answers, failures, restarts and time', () => {
  it.each(builtinStrategies.map(({ name }) => name))('%s chooses what may be chosen, and the same when it is traced', (name) => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 60 }), (turns) => {
        expect(choices(name, turns, true)).toEqual(choices(name, turns, false))
      }),
      { numRuns: 25 },
    )
  })
})

describe('what is remembered of nodes', () => {
  it('is no more than there are rows, however many nodes come and go', () => {
    let made = 0
    const table = new NodeTable(() => ({ made: (made += 1) }))
    const node = (life: number): Candidate => ({ id: `pool/n-${life}`, index: life % 4, weight: 1 })
    for (let life = 0; life < 5_000; life += 1) {
      expect(table.of(node(life))).toBe(table.known(node(life)))
      if (life > 3) expect(table.known(node(life - 4))).toBeUndefined()
    }
    expect(made).toBe(5_000)
    expect((table as unknown as { rows: unknown[] }).rows).toHaveLength(4)
  })

  it('ends with the node or its process, not with an older one of the row', () => {
    const table = new NodeTable(() => ({}))
    const node: Candidate = { id: 'pool/a', index: 0, weight: 1, incarnation: 1 }
    const memory = table.of(node)
    table.forget({ id: 'pool/older', index: 0 })
    expect(table.known(node)).toBe(memory)
    expect(table.known({ ...node, incarnation: 2 })).toBeUndefined()
    table.forget(node)
    expect(table.known(node)).toBeUndefined()
  })
})
