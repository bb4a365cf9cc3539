import { expect, it } from 'vitest'
import { FitMemory } from './fit-memory.js'

it('asks once for a set in whatever order, until the topology is another one, some time has passed, or the machine is seen otherwise', () => {
  const memory = new FitMemory()
  const topology = {}
  let asked = 0
  const ask = (names: readonly string[], nowMs: number, of: object = topology): boolean =>
    memory.of(names, { of, nowMs }, () => {
      asked += 1
      return names.length < 2
    })
  expect([ask(['a', 'b'], 0), ask(['b', 'a'], 100), ask(['a'], 100)]).toEqual([false, false, true])
  expect(asked).toBe(2)
  ask(['a', 'b'], 200, {})
  expect(asked).toBe(3)
  ask(['a', 'b'], 200)
  ask(['a', 'b'], 2_300)
  expect(asked).toBe(5)
  memory.forget()
  ask(['a', 'b'], 2_301)
  expect(asked).toBe(6)
})
