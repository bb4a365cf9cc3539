import { describe, expect, it } from 'vitest'
import { giveBodyMemory, takeBodyMemory } from './body-memory.js'

describe('memory for bodies', () => {
  it('is used again once it was given back, whatever part of it is given', () => {
    const memory = takeBodyMemory(40_000)
    expect(memory.byteLength).toBeGreaterThanOrEqual(40_000)
    giveBodyMemory(memory.subarray(0, 40_000))
    expect(takeBodyMemory(60_000).buffer).toBe(memory.buffer)
  })

  it('is never handed out twice, though it was given back twice', () => {
    const memory = takeBodyMemory(200_000)
    giveBodyMemory(memory)
    giveBodyMemory(memory)
    expect(takeBodyMemory(200_000).buffer).not.toBe(takeBodyMemory(200_000).buffer)
  })

  it('is a body of its own where it is small or large, and somebody else\u2019s is left alone', () => {
    for (const bytes of [0, 1_000, 2_000_000]) {
      const memory = takeBodyMemory(bytes)
      expect(memory.byteLength).toBe(bytes)
      giveBodyMemory(memory)
    }
    giveBodyMemory(Buffer.alloc(50_000))
  })

  it('keeps only so much', () => {
    const taken = Array.from({ length: 20 }, () => takeBodyMemory(1_000_000))
    for (const memory of taken) giveBodyMemory(memory)
    const again = new Set(Array.from({ length: 20 }, () => takeBodyMemory(1_000_000).buffer))
    expect(taken.filter((memory) => again.has(memory.buffer)).length).toBeLessThanOrEqual(8)
    expect(again.size).toBe(20)
  })
})
