import { describe, expect, it } from 'vitest'
import { chooseSlots, type Seat } from './choose-slots.js'

const seat = (slot: number, more: Partial<Seat> = {}): Seat => ({
  slot,
  state: 'ready',
  inFlight: 1,
  warmTokens: 0,
  sinceMs: 100 - slot,
  ...more,
})

describe('which replicas there shall be', () => {
  it('takes the lowest free numbers for new ones, and keeps the others as they are', () => {
    expect(chooseSlots([seat(0), seat(2)], 4, 8)).toEqual([0, 1, 2, 3])
    expect(chooseSlots([], 2, 8)).toEqual([0, 1])
  })

  it('takes a number whose last node still ends only where there is no other', () => {
    expect(chooseSlots([], 1, 3, new Set([0]))).toEqual([1])
    expect(chooseSlots([], 3, 3, new Set([0]))).toEqual([0, 1, 2])
  })

  it('never has more than there are numbers', () => {
    expect(chooseSlots([seat(0)], 9, 3)).toEqual([0, 1, 2])
  })

  it('lets those go first that do not serve yet, then idle ones, then those with few warm conversations, then the newest', () => {
    expect(chooseSlots([seat(0, { state: 'coming' }), seat(1)], 1, 8)).toEqual([1])
    expect(chooseSlots([seat(0, { inFlight: 0 }), seat(1)], 1, 8)).toEqual([1])
    expect(chooseSlots([seat(0, { warmTokens: 10 }), seat(1, { warmTokens: 9_000 })], 1, 8)).toEqual([1])
    expect(chooseSlots([seat(0, { sinceMs: 50 }), seat(1, { sinceMs: 10 })], 1, 8)).toEqual([1])
  })

  it('replaces those that nobody starts again', () => {
    expect(chooseSlots([seat(0, { state: 'lost' }), seat(1)], 2, 8)).toEqual([1, 2])
    expect(chooseSlots([seat(0, { state: 'lost' }), seat(1)], 1, 8)).toEqual([1])
  })

  it('lets all go where none shall be', () => {
    expect(chooseSlots([seat(0), seat(1)], 0, 8)).toEqual([])
  })
})
