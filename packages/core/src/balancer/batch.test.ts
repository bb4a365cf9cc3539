import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { RequestRecord } from '../contracts/index.js'
import { TimerWheel } from '../wire/index.js'
import { Batch } from './batch.js'

/** Two ticks of the timer wheel, and some. */
const SOON_MS = 200

let clock: FakeClock
let delivered: string[][]
let batch: Batch<RequestRecord>

const record = (id: number | string): RequestRecord => ({ id: String(id) }) as RequestRecord
const idsOf = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => String(from + index))

beforeEach(() => {
  clock = new FakeClock()
  delivered = []
  const wheel = new TimerWheel(clock)
  batch = new Batch(wheel, (records) => delivered.push(records.map((each) => each.id)))
})

describe('settled requests', () => {
  it('are handed on together and in order, soon after the first', () => {
    for (const id of idsOf(3)) batch.add(record(id))
    expect(delivered).toEqual([])
    clock.advance(SOON_MS)
    expect(delivered).toEqual([idsOf(3)])
    clock.advance(10 * SOON_MS)
    expect(delivered).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('do not wait once there are 256', () => {
    for (const id of idsOf(600)) batch.add(record(id))
    expect(delivered).toEqual([idsOf(256), idsOf(256, 256)])
    clock.advance(SOON_MS)
    expect(delivered.flat()).toEqual(idsOf(600))
  })

  it('are handed on at once when someone asks, and only once', () => {
    batch.add(record('a'))
    batch.flush()
    batch.flush()
    expect(delivered).toEqual([['a']])
    clock.advance(SOON_MS)
    expect(delivered).toEqual([['a']])
  })

  it('that come after a flush do not wait longer than others', () => {
    batch.add(record('a'))
    batch.flush()
    batch.add(record('b'))
    clock.advance(SOON_MS)
    batch.add(record('c'))
    clock.advance(SOON_MS)
    expect(delivered).toEqual([['a'], ['b'], ['c']])
  })

  it('that settle while others are handed on go with the next batch', () => {
    const seen: string[][] = []
    const again = new Batch<RequestRecord>(new TimerWheel(clock), (records) => {
      seen.push(records.map((each) => each.id))
      if (seen.length === 1) again.add(record('late'))
    })
    again.add(record('first'))
    clock.advance(2 * SOON_MS)
    expect(seen).toEqual([['first'], ['late']])
  })
})
