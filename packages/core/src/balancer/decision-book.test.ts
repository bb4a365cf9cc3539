import { beforeEach, describe, expect, it } from 'vitest'
import type { Decision, RequestRecord } from '../contracts/index.js'
import { createRecordRing, type RecordRing } from '../proxy/index.js'
import { DecisionBook } from './decision-book.js'

const decision = (id: string, more: Partial<Decision> = {}): Decision => ({ id, arrivedAtMs: 1, attempt: 1, ...more }) as Decision
const record = (id: string, arrivedAtMs = 1): RequestRecord => ({ id, arrivedAtMs }) as RequestRecord

let ring: RecordRing
let book: DecisionBook

beforeEach(() => {
  ring = createRecordRing(3)
  book = new DecisionBook(ring)
})

describe('the book of decisions', () => {
  it('keeps the tries of a request together, and what became of it', () => {
    book.add(decision('a'))
    book.add(decision('a', { attempt: 2 }))
    expect(book.why('a')).toMatchObject({ record: null, decisions: [{ attempt: 1 }, { attempt: 2 }] })
    book.settle(record('a'))
    expect(book.why('a')?.record).toEqual(record('a'))
  })

  it('lets the newer of two requests with one id count', () => {
    book.add(decision('a'))
    book.settle(record('a'))
    book.add(decision('a', { arrivedAtMs: 2 }))
    expect(book.why('a')).toMatchObject({ record: null, decisions: [{ arrivedAtMs: 2 }] })
    book.settle(record('a', 1))
    expect(book.why('a')?.record).toBeNull()
  })

  it('gives those that came in one millisecond their records, whichever ends first', () => {
    for (const id of ['a', 'b', 'c']) book.add(decision(id))
    book.settle(record('other'))
    for (const id of ['c', 'a', 'b']) book.settle(record(id))
    expect(['a', 'b', 'c'].map((id) => book.why(id)?.record?.id)).toEqual(['a', 'b', 'c'])
  })

  it('knows the record of a request that was not traced, and nothing of one that is gone', () => {
    for (const id of ['a', 'b', 'c', 'd']) ring.add(record(id))
    expect(book.why('d')).toEqual({ id: 'd', record: record('d'), decisions: [] })
    expect(book.why('a')).toBeUndefined()
  })

  it('is bounded, in requests and in tries', () => {
    for (let index = 0; index < 1_500; index += 1) book.add(decision(`r${index}`))
    for (let index = 0; index < 100; index += 1) book.add(decision('r1499', { attempt: index + 2 }))
    expect(book.newest(10_000)).toHaveLength(1_000)
    expect(book.why('r499')).toBeUndefined()
    expect(book.newest(1)[0]).toMatchObject({ id: 'r1499' })
    expect(book.why('r1499')?.decisions).toHaveLength(16)
  })
})
