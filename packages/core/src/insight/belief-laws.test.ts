import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { Candidate, Lease, LeaseEnd } from '../contracts/index.js'
import type { Belief } from './belief.js'
import { factsOfBlocks } from './prompts.test.fixture.js'
import { createBelief } from './thread-belief.js'

const NODES = 3
const THREADS = 3
const PROMPTS = [[], [1], [1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 9], [7, 8]]

const row = fc.integer({ min: 0, max: NODES - 1 })
const thread = fc.integer({ min: 0, max: THREADS - 1 })
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('open' as const),
      thread,
      row,
      prompt: fc.integer({ min: 0, max: PROMPTS.length - 1 }),
      stream: fc.boolean(),
      silent: fc.integer({ min: 0, max: 9 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('first' as const, 'tokens' as const), nth: fc.nat({ max: 40 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      nth: fc.nat({ max: 40 }),
      outcome: fc.constantFrom('answered' as const, 'failed' as const, 'cancelled' as const, undefined),
      cachedTokens: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('post' as const, 'die' as const), thread }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('forget' as const, 'restart' as const, 'cleared' as const), row }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 50 }) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never

interface Claim {
  readonly lease: Lease
  readonly thread: number
  readonly row: number
  readonly tokens: number
  readonly isStream: boolean
  isOpen: boolean
  isWaiting: boolean
  /** Of an answer that comes whole; 0 once something of it came. */
  silentTokens: number
}

/** Three threads that believe together, as the balancer wires them; messages lie until they are posted. */
class Threads {
  readonly clock = new FakeClock()
  readonly beliefs: Belief[] = []
  readonly incarnations = Array.from({ length: NODES }, () => 1)
  readonly claims: Claim[] = []

  constructor() {
    this.beliefs.push(createBelief({ clock: this.clock, capacity: NODES, threads: THREADS, onNews: () => undefined }))
    for (let born = 1; born < THREADS; born += 1) this.beliefs.push(this.born(born))
  }

  get main(): Belief {
    return this.beliefs[0] ?? this.born(0)
  }

  candidate(index: number): Candidate {
    return { id: `pool/n-${index}`, index, weight: 1, incarnation: this.incarnations[index] ?? 0 }
  }

  post(from: number): void {
    const news = this.beliefs[from]?.takeNews() ?? new Float64Array(0)
    for (const [to, belief] of this.beliefs.entries()) if (to !== from) belief.hear(news, from)
  }

  /** The main thread lives as long as the process. */
  die(dead: number): void {
    if (dead === 0) return
    for (const claim of this.claims) if (claim.thread === dead) claim.isOpen = false
    this.main.clearThread(dead)
    for (const [other, belief] of this.beliefs.entries()) if (other !== 0 && other !== dead) belief.forgetThread(dead)
    this.beliefs[dead] = this.born(dead)
  }

  apply(next: Step): void {
    switch (next.kind) {
      case 'open': {
        const facts = factsOfBlocks(PROMPTS[next.prompt] ?? [], undefined, {
          outputTokens: 7,
          stream: next.stream,
          silentTokens: next.stream ? 0 : next.silent,
        })
        const lease = this.beliefs[next.thread]?.open(this.candidate(next.row), facts)
        if (lease === undefined) throw new Error('no such thread')
        const tokens = facts.promptTokens + facts.outputTokens
        const silentTokens = facts.silentTokens ?? 0
        this.claims.push({
          lease,
          thread: next.thread,
          row: next.row,
          tokens,
          isStream: next.stream,
          isOpen: true,
          isWaiting: true,
          silentTokens,
        })
        return
      }
      case 'post':
        return this.post(next.thread)
      case 'die':
        return this.die(next.thread)
      case 'forget':
        return this.main.forget(next.row)
      case 'cleared':
        return this.main.clearCache(next.row)
      case 'restart':
        this.incarnations[next.row] = (this.incarnations[next.row] ?? 0) + 1
        return
      case 'wait':
        return this.clock.advance(next.ms)
      default:
        return this.on(next)
    }
  }

  private on(next: Extract<Step, { nth: number }>): void {
    const claim = this.claims[next.nth % this.claims.length]
    // A dead thread calls nothing.
    if (claim === undefined || (!claim.isOpen && claim.thread !== 0)) return
    if (next.kind === 'first') claim.lease.firstToken()
    if (next.kind !== 'tokens') claim.isWaiting = false
    if (claim.isOpen) claim.silentTokens = 0
    if (next.kind === 'tokens') claim.lease.tokens(4)
    if (next.kind !== 'settle') return
    claim.isOpen = false
    claim.lease.settle(next.outcome === undefined ? undefined : endOf(next.outcome, next.cachedTokens))
  }

  private born(number: number): Belief {
    return createBelief({ clock: this.clock, capacity: NODES, buffer: this.main.buffer, thread: number, onNews: () => undefined })
  }
}

function endOf(outcome: LeaseEnd['outcome'], cachedTokens: number | undefined): LeaseEnd {
  return { outcome, usage: { promptTokens: 100, completionTokens: 10, ...(cachedTokens === undefined ? {} : { cachedTokens }) } }
}

const counts = (belief: Belief, index: number): number[] => {
  const { inFlight, waiting, tokensInFlight, prefillTokens, headPrefillTokens, largestPromptTokens, silentTokens, kvTokens } = belief.of({
    index,
  })
  return [inFlight, waiting, tokensInFlight, prefillTokens, headPrefillTokens, largestPromptTokens, silentTokens, kvTokens]
}

describe('what threads believe together', () => {
  it('counts what is open, whatever comes in whatever order: news, restarts, cleared caches, dead threads', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 100 }), (steps) => {
        const threads = new Threads()
        for (const next of steps) {
          threads.apply(next)
          for (let index = 0; index < NODES; index += 1) {
            const open = threads.claims.filter((claim) => claim.isOpen && claim.row === index)
            const { inFlight, waiting, tokensInFlight, prefillTokens, kvTokens, silentTokens, largestPromptTokens } = threads.main.of({
              index,
            })
            expect(silentTokens).toBe(Math.max(0, ...open.map((claim) => claim.silentTokens)))
            expect(largestPromptTokens * waiting).toBeGreaterThanOrEqual(prefillTokens)
            const tokens = open.reduce((sum, claim) => sum + claim.tokens, 0)
            expect([inFlight, tokensInFlight]).toEqual([open.length, tokens])
            const waits = open.filter((claim) => claim.isWaiting)
            // Nobody sees the first token of an answer that comes whole.
            expect(waiting).toBeGreaterThanOrEqual(waits.filter((claim) => claim.isStream).length)
            expect(waiting).toBeLessThanOrEqual(waits.length)
            expect(prefillTokens).toBeGreaterThanOrEqual(0)
            expect(kvTokens).toBeGreaterThanOrEqual(0)
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('comes back to zero when all has ended, and promises nothing that nobody computes', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 100 }), (steps) => {
        const threads = new Threads()
        for (const next of steps) threads.apply(next)
        for (const claim of threads.claims) if (claim.isOpen) claim.lease.settle({ outcome: 'cancelled' })
        for (let from = 0; from < THREADS; from += 1) threads.post(from)
        for (const belief of threads.beliefs)
          for (let index = 0; index < NODES; index += 1) {
            expect(counts(belief, index)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
            for (const prompt of PROMPTS) {
              const { presentTokens, promisedTokens } = belief.cachedTokens(factsOfBlocks(prompt), [threads.candidate(index)])
              expect(promisedTokens[0]).toBe(presentTokens[0])
            }
          }
      }),
      { numRuns: 200 },
    )
  })

  it('is the same belief in each: what one sent, all know to be promised, then present; a dead thread promises nothing', () => {
    const threads = new Threads()
    const [, one, other] = threads.beliefs
    const facts = factsOfBlocks([1, 2, 3])
    const node = threads.candidate(1)
    const matchIn = (belief: Belief | undefined): (number | undefined)[] => {
      const match = belief?.cachedTokens(facts, [node])
      return [match?.presentTokens[0], match?.promisedTokens[0]]
    }
    const lease = one?.open(node, facts)
    threads.post(1)
    for (const belief of threads.beliefs) expect(matchIn(belief)).toEqual([0, 48])
    lease?.firstToken()
    threads.post(1)
    for (const belief of threads.beliefs) expect(matchIn(belief)).toEqual([48, 48])
    const doomed = factsOfBlocks([5, 6])
    one?.open(node, doomed)
    threads.post(1)
    expect(other?.cachedTokens(doomed, [node]).promisedTokens[0]).toBe(32)
    threads.die(1)
    expect(other?.cachedTokens(doomed, [node]).promisedTokens[0]).toBe(0)
    expect(matchIn(other)).toEqual([48, 48])
    expect(counts(threads.main, 1)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  })

  it("knows a row that is another node's now: nothing of the first is believed of the second, in no thread", () => {
    const threads = new Threads()
    const [, one, other] = threads.beliefs
    const facts = factsOfBlocks([1, 2, 3])
    const before: Candidate = { id: 'pool/old', index: 2, weight: 1, incarnation: 5 }
    const after: Candidate = { id: 'pool/new', index: 2, weight: 1, incarnation: 1 }
    const cachedBy = (belief: Belief | undefined): number | undefined => belief?.cachedTokens(facts, [after]).promisedTokens[0]
    one?.open(before, facts).settle({ outcome: 'answered' })
    threads.post(1)
    for (const belief of threads.beliefs) expect(cachedBy(belief)).toBe(0)
    threads.main.freeRow(2)
    threads.post(0)
    const lease = other?.open(after, facts)
    lease?.firstToken()
    threads.post(2)
    for (const belief of threads.beliefs) expect(cachedBy(belief)).toBe(48)
    lease?.settle({ outcome: 'answered' })
    expect(counts(threads.main, 2)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  })

  it('knows such a row also when the news of it comes late', () => {
    const threads = new Threads()
    const [, one] = threads.beliefs
    const facts = factsOfBlocks([1, 2, 3])
    one?.open({ id: 'pool/old', index: 2, weight: 1, incarnation: 5 }, facts).settle({ outcome: 'answered' })
    const after: Candidate = { id: 'pool/new', index: 2, weight: 1, incarnation: 1 }
    one?.open(after, factsOfBlocks([1])).firstToken()
    expect(one?.cachedTokens(facts, [after]).presentTokens[0]).toBe(16)
  })

  it('is told to a thread that is born later, in the order in which it is forgotten', () => {
    const threads = new Threads()
    const [, one] = threads.beliefs
    const node = threads.candidate(1)
    threads.main.learnLoad(1, { kvBlocks: 8, kvBlockTokens: 16 })
    for (const blocks of [
      [1, 2, 3],
      [7, 8],
    ])
      one?.open(node, factsOfBlocks(blocks)).settle({ outcome: 'answered' })
    threads.post(1)
    threads.die(2)
    const late = threads.beliefs[2]
    late?.hear(threads.main.snapshot(), 0)
    const present = (belief: Belief | undefined, blocks: readonly number[]): number | undefined =>
      belief?.cachedTokens(factsOfBlocks(blocks), [node]).presentTokens[0]
    expect([present(late, [1, 2, 3]), present(late, [7, 8])]).toEqual([48, 32])
    for (const belief of [one, late]) {
      belief?.open(node, factsOfBlocks([20, 21, 22, 23, 24])).settle({ outcome: 'answered' })
      expect([present(belief, [1, 2, 3]), present(belief, [7, 8])]).toEqual([16, 32])
    }
  })

  it('has one head of the line: the request that waits longest, in whatever thread', () => {
    const threads = new Threads()
    const [, one, other] = threads.beliefs
    const node = threads.candidate(0)
    const first = one?.open(node, factsOfBlocks([], 500))
    threads.clock.advance(10)
    other?.open(node, factsOfBlocks([], 70))
    threads.clock.advance(10)
    one?.open(node, factsOfBlocks([], 9))
    const head = (): number[] => [threads.main.of(node).headPrefillTokens, threads.main.of(node).headSinceMs]
    expect(head()).toEqual([500, 0])
    first?.firstToken()
    expect(head()).toEqual([70, 10])
    expect(threads.main.of(node).lastProgressMs).toBe(20)
  })

  it('keeps times of threads whose clocks began at other moments', () => {
    const [early, late] = [new FakeClock(), new FakeClock()]
    early.advance(1_000)
    const main = createBelief({ clock: early, capacity: 1, threads: 2, onNews: () => undefined })
    const thread = createBelief({ clock: late, capacity: 1, buffer: main.buffer, thread: 1, aheadMs: 1_000, onNews: () => undefined })
    late.advance(30)
    early.advance(30)
    thread.open({ id: 'p/n', index: 0, weight: 1 }, factsOfBlocks([], 50))
    expect([main.of({ index: 0 }).headSinceMs, main.of({ index: 0 }).lastProgressMs]).toEqual([1_030, 1_030])
    expect([thread.of({ index: 0 }).headSinceMs, thread.of({ index: 0 }).lastProgressMs]).toEqual([30, 30])
  })
})
