import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.js'
import { seededRandom } from '../base/index.js'
import { TimerWheel, type Exchange } from '../wire/index.js'
import { Delivery } from './delivery.js'

const STREAMS = 1_000
const LONGEST_MS = 15_000
const FIRST_MS = 10_000
/** The wheel is late by so much at most. */
const LATE_MS = 100

let clock: FakeClock
let beatsMs: number[][]

/** A client that takes all it is given, and when. */
function noting(beats: number[]): Exchange {
  return {
    head: { method: 'POST', path: '/', query: '', headers: {} },
    peer: { address: '127.0.0.1' },
    committed: false,
    takesFrames: false,
    readBody: () => Buffer.alloc(0),
    respond: () => undefined,
    write: () => beats.push(clock.nowMs()) > 0,
    writeFrames: () => true,
    onDrain: () => undefined,
    end: () => undefined,
    abort: () => undefined,
    onGone: () => undefined,
  }
}

/** Silent streams that were opened at one moment, as when all clients come back after a restart. */
function openTogether(heartbeatMs: number): Delivery[] {
  const [wheel, random] = [new TimerWheel(clock), seededRandom(7)]
  beatsMs = Array.from({ length: STREAMS }, () => [])
  const deliveries = beatsMs.map((beats, index) => new Delivery(noting(beats), String(index), wheel))
  for (const delivery of deliveries) delivery.startHeartbeats(heartbeatMs, random.next())
  return deliveries
}

const pausesMs = (beats: readonly number[]): number[] => beats.slice(1).map((atMs, index) => atMs - (beats[index] ?? 0))

beforeEach(() => {
  clock = new FakeClock()
})

describe('heartbeats of many streams that were opened together', () => {
  it.each([LONGEST_MS, 60_000, 12_000, 3_000])(
    'come in time: at most %d ms of silence, and none before the first refusal may come',
    (heartbeatMs) => {
      openTogether(heartbeatMs)
      clock.advance(5 * heartbeatMs)
      for (const beats of beatsMs) {
        expect(beats.length).toBeGreaterThanOrEqual(4)
        expect(beats[0]).toBeGreaterThanOrEqual(Math.min(FIRST_MS, heartbeatMs))
        expect(beats[0]).toBeLessThanOrEqual(Math.min(1.5 * FIRST_MS, heartbeatMs) + LATE_MS)
        for (const pause of pausesMs(beats)) {
          expect(pause).toBeGreaterThanOrEqual((2 / 3) * heartbeatMs)
          expect(pause).toBeLessThanOrEqual(heartbeatMs + LATE_MS)
        }
      }
    },
  )

  it('go apart: within a minute no second has more than twice its share', () => {
    openTogether(LONGEST_MS)
    clock.advance(120_000)
    const inSecond = Array.from({ length: 120 }, () => 0)
    for (const atMs of beatsMs.flat()) inSecond[Math.floor(atMs / 1_000)] = (inSecond[Math.floor(atMs / 1_000)] ?? 0) + 1
    const [later, first] = [inSecond.slice(60), inSecond.slice(0, 20)]
    const share = later.reduce((sum, beats) => sum + beats, 0) / later.length
    expect(share).toBeGreaterThan(STREAMS / (LONGEST_MS / 1_000))
    expect(Math.max(...later)).toBeLessThan(2 * share)
    // The first ones already: all at once they would be a thousand in one second.
    expect(Math.max(...first)).toBeLessThan(STREAMS / 4)
  })

  it('stop when nothing more will be said', () => {
    const deliveries = openTogether(LONGEST_MS)
    clock.advance(20_000)
    for (const delivery of deliveries) delivery.close()
    const before = beatsMs.flat().length
    clock.advance(60_000)
    expect(before).toBeGreaterThanOrEqual(STREAMS)
    expect(beatsMs.flat()).toHaveLength(before)
    expect(clock.pending).toBe(0)
  })
})
