import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Lease } from '../contracts/index.js'
import { createLeaseBook } from './lease-book.js'

type Step =
  | { readonly kind: 'open'; readonly row: number; readonly tokens: number }
  | { readonly kind: 'first' | 'settle'; readonly nth: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), row: fc.integer({ min: 0, max: 3 }), tokens: fc.integer({ min: 0, max: 10_000 }) }),
  fc.record({ kind: fc.constantFrom('first' as const, 'settle' as const), nth: fc.nat({ max: 40 }) }),
)

interface Model {
  readonly lease: Lease
  readonly row: number
  readonly tokens: number
  waiting: boolean
  open: boolean
}

/** Does one step on the book and on the plain model of it. */
function apply(book: ReturnType<typeof createLeaseBook>, models: Model[], next: Step): void {
  if (next.kind === 'open') {
    models.push({ lease: book.open({ index: next.row }, next.tokens), row: next.row, tokens: next.tokens, waiting: true, open: true })
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
        const book = createLeaseBook({ capacity: 4 })
        const models: Model[] = []
        for (const next of steps) {
          apply(book, models, next)
          for (let row = 0; row < 4; row += 1) {
            const open = models.filter((model) => model.open && model.row === row)
            expect(book.countOf(row)).toBe(open.length)
            expect(book.waitingOf(row)).toBe(open.filter((model) => model.waiting).length)
            expect(book.tokensOf(row)).toBe(open.reduce((sum, model) => sum + model.tokens, 0))
          }
        }
        for (const { lease } of models) lease.settle()
        for (let row = 0; row < 4; row += 1) expect([book.countOf(row), book.waitingOf(row), book.tokensOf(row)]).toEqual([0, 0, 0])
      }),
    )
  })

  it('hands a row out again only when it is given back and empty', () => {
    const book = createLeaseBook({ capacity: 2 })
    expect([book.takeRow(), book.takeRow()]).toEqual([0, 1])
    expect(() => book.takeRow()).toThrow('at most 2 nodes')
    const lease = book.open({ index: 0 }, 5)
    book.freeRow(0)
    expect(() => book.takeRow()).toThrow('at most 2 nodes')
    lease.settle()
    expect(book.takeRow()).toBe(0)
  })
})
