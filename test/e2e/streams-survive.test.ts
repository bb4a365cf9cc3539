import { afterEach, describe, expect, it } from 'vitest'
import { Seeded } from './seeded.js'
import { eligibleStories, otherStories } from './stories.js'
import { countVerdicts } from './stream-verdict.js'
import { Survival, type Survived } from './survival.js'

let survival: Survival | undefined
afterEach(async () => {
  await survival?.close()
  survival = undefined
})

const wrongs = (told: readonly Survived[]): string[] =>
  told.filter(({ verdict }) => verdict.kind === 'wrong').map(({ verdict }) => verdict.why)
const counts = (told: readonly Survived[]) => countVerdicts(told.map(({ verdict }) => verdict))

describe('streams whose engine is cut off, at any event, inside events and inside characters', () => {
  it('come out whole where they are plain text', async () => {
    survival = await Survival.start()
    const told = await survival.tell(eligibleStories(60), { random: new Seeded(1), concurrency: 15 })
    expect(wrongs(told)).toEqual([])
    expect(counts(told)).toEqual({ whole: 60, 'error-event': 0, wrong: 0 })
    expect(survival.plan.made.length).toBeGreaterThan(50)
  })

  it('end in the error that the official client raises where they are more', async () => {
    survival = await Survival.start()
    const told = await survival.tell(otherStories(54), { random: new Seeded(2), concurrency: 15 })
    expect(wrongs(told)).toEqual([])
    expect(counts(told)['error-event']).toBeGreaterThan(30)
  })
})
