import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DelayLine } from './delay-line.js'
import { DueQueue } from './due-queue.js'
import { LoadRecorder } from './load-recorder.js'
import { percentilesOf } from './percentiles.js'
import { TimeHeap } from './time-heap.js'

describe('queues of virtual time', () => {
  it('the indexed heap always knows the earliest, the lowest index among equals', () => {
    const move = fc.record({ index: fc.nat(8), ms: fc.oneof(fc.nat(20), fc.constant(Infinity)) })
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const heap = new TimeHeap(9)
        const due = Array.from({ length: 9 }, () => Infinity)
        for (const { index, ms } of moves) {
          heap.set(index, ms)
          due[index] = ms
          const earliest = Math.min(...due)
          expect(heap.firstMs).toBe(earliest)
          if (earliest < Infinity) expect(heap.first).toBe(due.indexOf(earliest))
        }
      }),
    )
  })

  it('the due queue gives back by time, equal times in order of adding', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10), { maxLength: 40 }), (times) => {
        const queue = new DueQueue<number>()
        for (const [order, ms] of times.entries()) queue.add(ms, order)
        const taken = times.map(() => queue.take() ?? -1)
        const expected = [...times.keys()].sort((one, other) => (times[one] ?? 0) - (times[other] ?? 0) || one - other)
        expect(taken).toEqual(expected)
        expect([queue.firstMs, queue.take(), queue.size]).toEqual([Infinity, undefined, 0])
      }),
    )
  })

  it('the delay line keeps order over many messages', () => {
    const line = new DelayLine<number>(1)
    let next = 0
    for (let sent = 0; sent < 20_000; sent++) {
      line.send(sent, sent)
      if (sent % 3 > 0) expect(line.take()).toBe(next++)
    }
    while (next < 20_000) {
      expect(line.firstMs).toBe(next + 1)
      expect(line.take()).toBe(next++)
    }
    expect(line.firstMs).toBe(Infinity)
  })
})

describe('measures', () => {
  it('percentiles lie between the nearest ranks', () => {
    expect(percentilesOf(Float64Array.of(4, 1, 3, 2, 5))).toEqual({ mean: 3, p50: 3, p90: 4.6, p95: 4.8, p99: 4.96 })
    expect(percentilesOf(new Float64Array(0))).toEqual({ mean: 0, p50: 0, p90: 0, p95: 0, p99: 0 })
  })

  it('the series of a long run grows coarser, not longer', () => {
    const recorder = new LoadRecorder(1, 1000)
    for (let at = 0; recorder.nextMs <= 3_600_000; at++) recorder.record(() => ({ running: at, waiting: 0, kvUsedRatio: 0 }))
    const { intervalMs, running } = recorder.result
    expect(running[0]?.length).toBeLessThanOrEqual(240)
    expect(intervalMs * (running[0]?.length ?? 0)).toBeGreaterThan(3_500_000)
  })
})
