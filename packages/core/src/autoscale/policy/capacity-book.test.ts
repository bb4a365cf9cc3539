import { describe, expect, it } from 'vitest'
import { CapacityBook, type Bearable } from './capacity-book.js'

/** Once it has made up its mind. */
let nowMs = 0
const read = (book: CapacityBook): Bearable | undefined => {
  book.look((nowMs += 5_000))
  return book.bearable
}

const learn = (book: CapacityBook, level: number, pressure: number): void => {
  for (let sample = 0; sample < 100; sample++) book.learn(level, pressure, 1)
}

describe('what one node bears', () => {
  it('is unknown before enough was seen', () => {
    const book = new CapacityBook(100, 1)
    book.learn(10, 0, 99)
    expect(read(book)).toBeUndefined()
    book.learn(10, 0, 1)
    expect(read(book)).toEqual({ level: 10, isLimit: false })
  })

  it('lies where the pressure passes what is allowed', () => {
    const book = new CapacityBook(50, 1)
    for (const [level, pressure] of [
      [10, 0],
      [20, 0.5],
      [30, 1.5],
      [40, 9],
    ] as const)
      learn(book, level, pressure)
    expect(read(book)?.isLimit).toBe(true)
    expect(read(book)?.level).toBeCloseTo(25, 5)
  })

  it('is the highest load that was borne, where none was too much', () => {
    const book = new CapacityBook(50, 1)
    for (const level of [10, 20, 30]) learn(book, level, 0)
    expect(read(book)).toEqual({ level: 30, isLimit: false })
  })

  it('is not thrown off by chance: a bad moment at little load counts with what was good around it', () => {
    const book = new CapacityBook(10, 1)
    for (const level of [10, 20, 30]) learn(book, level, 0)
    for (let sample = 0; sample < 30; sample++) book.learn(15, 2, 1)
    expect(read(book)?.level).toBeGreaterThan(25)
  })

  it('forgets', () => {
    const book = new CapacityBook(50, 1)
    learn(book, 20, 9)
    learn(book, 10, 0)
    expect(read(book)?.isLimit).toBe(true)
    nowMs += 10 * 24 * 3_600_000
    expect(read(book)).toBeUndefined()
    learn(book, 30, 0)
    expect(read(book)).toEqual({ level: 30, isLimit: false })
  })

  it('takes no nonsense', () => {
    const book = new CapacityBook(1, 1)
    for (const level of [Number.NaN, Infinity, 0, -1]) book.learn(level, 1, 10)
    book.learn(10, Number.NaN, 10)
    expect(read(book)).toBeUndefined()
  })
})
