import { totalmem } from 'node:os'
import { expect, it } from 'vitest'
import { freeMainMemoryMiB } from './main-memory.js'

it('the main memory that is free is some of what the machine has, in whole MiB', () => {
  const free = freeMainMemoryMiB()
  expect(Number.isInteger(free)).toBe(true)
  expect(free).toBeGreaterThan(0)
  expect(free).toBeLessThanOrEqual(totalmem() / 1024 ** 2)
})
