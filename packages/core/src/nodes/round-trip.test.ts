import { describe, expect, it } from 'vitest'
import { RoundTrip } from './round-trip.js'

describe('the way to a node and back', () => {
  it('is half of the shortest probe: what is longer is work', () => {
    const trip = new RoundTrip()
    expect(trip.roundTripMs).toBeUndefined()
    for (const tookMs of [90, 60, 400]) trip.learn(tookMs, 1_000)
    expect(trip.roundTripMs).toBe(30)
  })

  it('does not tell of changes that mean nothing', () => {
    const trip = new RoundTrip()
    trip.learn(10, 0)
    trip.learn(9.6, 0)
    expect(trip.roundTripMs).toBe(5)
    trip.learn(6, 0)
    expect(trip.roundTripMs).toBe(3)
  })

  it('follows a node that moved away once the old minimum is two windows old', () => {
    const trip = new RoundTrip()
    trip.learn(2, 0)
    for (let atMs = 1_000; atMs <= 62_000; atMs += 1_000) trip.learn(80, atMs)
    expect(trip.roundTripMs).toBe(1)
    for (let atMs = 63_000; atMs <= 200_000; atMs += 1_000) trip.learn(80, atMs)
    expect(trip.roundTripMs).toBe(40)
  })
})
