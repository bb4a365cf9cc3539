import { describe, expect, it } from 'vitest'
import { burdenOf, DeathBook, isOverdue, REMEMBERED_MS, type Death, type Entry } from './death-book.js'
import { fingerprintOf } from './fingerprint.js'

const suspect = (index: number) => ({ fingerprint: `f${index}`, bytes: 10, pool: 'p' })
const death = (id: number, more: Partial<Death> = {}): Death => ({
  id: `life ${id}`,
  node: 'p/n',
  isCrash: true,
  progress: 0,
  atNodeMs: 5,
  atMs: 0,
  ...more,
})

describe('the book of deaths', () => {
  it('counts each end of a node once for a body, and two crashes or three ends of any kind as enough', () => {
    const book = new DeathBook(() => undefined)
    expect(isOverdue(burdenOf(book.add(suspect(1), death(1)), 0))).toBe(false)
    expect(isOverdue(burdenOf(book.add(suspect(1), death(1)), 0))).toBe(false)
    expect(isOverdue(burdenOf(book.add(suspect(1), death(2, { isCrash: false })), 0))).toBe(false)
    expect(isOverdue(burdenOf(book.add(suspect(1), death(3, { isCrash: false })), 0))).toBe(true)
    book.add(suspect(2), death(1))
    expect(isOverdue(burdenOf(book.add(suspect(2), death(2)), 0))).toBe(true)
  })

  it('counts no more what a body got beyond', () => {
    const book = new DeathBook(() => undefined)
    const counted = (): number => burdenOf(book.get('f1') as Entry, 0).ends
    book.add(suspect(1), death(1))
    book.add(suspect(1), death(2, { progress: 40 }))
    book.further('f1', 1)
    expect(counted()).toBe(1)
    book.further('f1', 40)
    expect(counted()).toBe(1)
    book.further('f1', 41)
    expect(counted()).toBe(0)
  })

  it('counts even these where there are four of them within ten minutes: it gets further each time, and ends each node', () => {
    const book = new DeathBook(() => undefined)
    const overdueAt = (id: number, atMs: number): boolean => {
      const entry = book.add(suspect(1), death(id, { progress: id, atMs }))
      const is = isOverdue(burdenOf(entry, atMs))
      book.further('f1', id + 1)
      return is
    }
    expect([1, 2, 3, 4].map((id) => overdueAt(id, 1_000 * id))).toEqual([false, false, false, true])
    expect(overdueAt(5, 700_000)).toBe(false)
  })

  it('clears others of what is explained', () => {
    const book = new DeathBook(() => undefined)
    const culprit = book.add(suspect(1), death(1))
    book.add(suspect(2), death(1))
    book.add(suspect(3), death(1))
    book.add(suspect(3), death(9))
    book.explain(book.add(suspect(1), death(2)))
    expect(culprit.deaths).toHaveLength(2)
    expect(book.get('f2')).toBeUndefined()
    expect(book.get('f3')?.deaths.map(({ id }) => id)).toEqual(['life 9'])
  })

  it('holds a thousand bodies, the latest and those in quarantine, for a day', () => {
    const book = new DeathBook(() => undefined)
    book.add(suspect(0), death(0)).sentence = { fingerprint: 'f0', nodes: [], untilMs: 0 }
    for (let index = 1; index <= 1_200; index++) book.add(suspect(index), death(index))
    expect([...book.all()]).toHaveLength(1_000)
    expect(book.get('f0')).toBeDefined()
    expect(book.get('f1')).toBeUndefined()
    expect(book.get('f1200')).toBeDefined()
    book.add(suspect(2_000), death(2_000, { atMs: REMEMBERED_MS }))
    expect([...book.all()].map(({ fingerprint }) => fingerprint)).toEqual(['f0', 'f2000'])
  })
})

describe('the fingerprint of a body', () => {
  const salt = Buffer.from('salt')

  it('is the same for the same bytes only, of the same kind of request and installation', () => {
    const body = Buffer.from('{"model":"m"}')
    const print = fingerprintOf('openai-chat', body, salt)
    expect(print).toMatch(/^[0-9a-f]{16}$/u)
    expect(fingerprintOf('openai-chat', Buffer.from(body), salt)).toBe(print)
    expect(fingerprintOf('openai-chat', Buffer.from('{"model":"n"}'), salt)).not.toBe(print)
    expect(fingerprintOf('openai-completions', body, salt)).not.toBe(print)
    expect(fingerprintOf('openai-chat', body, Buffer.from('pepper'))).not.toBe(print)
  })

  it('looks at the length, the beginning, the end and pieces of what is huge', () => {
    const huge = Buffer.alloc(20_000_000, 1)
    const print = fingerprintOf('openai-chat', huge, salt)
    expect(fingerprintOf('openai-chat', huge.subarray(1), salt)).not.toBe(print)
    for (const at of [0, huge.byteLength - 1]) {
      huge[at] = 2
      expect(fingerprintOf('openai-chat', huge, salt)).not.toBe(print)
      huge[at] = 1
    }
    expect(fingerprintOf('openai-chat', huge, salt)).toBe(print)
  })
})
