import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { Candidate, Lease, RequestFacts } from '../contracts/index.js'
import type { Belief } from './belief.js'
import { createBelief } from './thread-belief.js'

type Step =
  | { readonly kind: 'open'; readonly row: number; readonly tokens: number }
  | { readonly kind: 'first' | 'settle'; readonly nth: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), row: fc.integer({ min: 0, max: 3 }), tokens: fc.integer({ min: 0, max: 10_000 }) }),
  fc.record({ kind: fc.constantFrom('first' as const, 'settle' as const), nth: fc.nat({ max: 40 }) }),
)

const node = (index: number): Candidate => ({ id: `pool/n-${index}`, index, weight: 1 })

const factsOf = (promptTokens: number): RequestFacts => ({
  id: 'r1',
  face: 'openai-chat',
  model: 'm',
  stream: true,
  bodyBytes: 4 * promptTokens,
  promptTokens,
  outputTokens: 0,
  prefixHashes: new Float64Array(0),
  prefixTokens: () => 0,
  session: undefined,
  client: '127.0.0.1',
  sloTtftMs: undefined,
})

interface Model {
  readonly lease: Lease
  readonly row: number
  readonly tokens: number
  waiting: boolean
  open: boolean
}

/** Does one step on the book and on the plain model of it. */
function apply(book: Belief, models: Model[], next: Step): void {
  if (next.kind === 'open') {
    models.push({ lease: book.open(node(next.row), factsOf(next.tokens)), row: next.row, tokens: next.tokens, waiting: true, open: true })
    return
  }
  const model = models[next.nth]
  if (model === undefined) return
  model.waiting = false
  if (next.kind === 'first') return model.lease.firstToken()
  model.open = false
  model.lease.settle()
}

describe('the lease book', () => {
  it('counts each claim in once and out once, whatever is called how often in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const book = createBelief({ clock: new FakeClock(), capacity: 4 })
        const models: Model[] = []
        for (const next of steps) {
          apply(book, models, next)
          for (let row = 0; row < 4; row += 1) {
            const open = models.filter((model) => model.open && model.row === row)
            expect(book.countOf(row)).toBe(open.length)
            expect(book.of(node(row)).waiting).toBe(open.filter((model) => model.waiting).length)
            expect(book.of(node(row)).tokensInFlight).toBe(open.reduce((sum, model) => sum + model.tokens, 0))
          }
        }
        for (const { lease } of models) lease.settle()
        for (let row = 0; row < 4; row += 1)
          expect([book.countOf(row), book.of(node(row)).waiting, book.of(node(row)).tokensInFlight]).toEqual([0, 0, 0])
      }),
    )
  })

  it('hands a row out again only when it is given back and empty', () => {
    const book = createBelief({ clock: new FakeClock(), capacity: 2 })
    expect([book.takeRow(), book.takeRow()]).toEqual([0, 1])
    expect(() => book.takeRow()).toThrow('at most 2 nodes')
    const lease = book.open(node(0), factsOf(5))
    book.freeRow(0)
    expect(() => book.takeRow()).toThrow('at most 2 nodes')
    lease.settle()
    expect(book.takeRow()).toBe(0)
  })
})
