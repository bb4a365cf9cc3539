import { afterEach } from 'vitest'
import { ScriptedHouse } from './scripted-world.test.fixture.js'

/** Makes houses; those of a test are closed when it ends. */
export function houseMaker(): (...given: ConstructorParameters<typeof ScriptedHouse>) => ScriptedHouse {
  const houses: ScriptedHouse[] = []
  afterEach(() => {
    for (const house of houses.splice(0)) house.close()
  })
  return (...given) => {
    const house = new ScriptedHouse(...given)
    houses.push(house)
    return house
  }
}

/** Requests while time passes. */
export function traffic(house: ScriptedHouse, canary: Parameters<ScriptedHouse['request']>[1] = {}): () => void {
  let turn = 0
  return () => {
    for (let count = 0; count < 6; count += 1) house.request((turn += 1), canary)
  }
}

/** Phases in which nothing happens any more. */
export const ended = ['promoted', 'rolled-back', 'aborted', 'failed'] as const
