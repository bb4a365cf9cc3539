import { afterEach, describe, expect, it } from 'vitest'
import type { Fleet } from '../reliability/engines.js'
import { run } from '../reliability/run.js'
import { strike } from '../reliability/faults.js'
import { LbSubject } from '../reliability/subjects.js'
import { isLong } from './house.js'
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
  it.each([...(isLong ? [['text', 1] as const] : []), ['text', 2] as const, ['exact', 1] as const])(
    'come out whole where they are plain text, by %s, with %i data threads',
    async (grade, workers) => {
      survival = await Survival.start({ workers, pool: `    continuation: ${grade}\n` })
      const told = await survival.tell(eligibleStories(60), { random: new Seeded(workers), concurrency: 15 })
      expect(wrongs(told)).toEqual([])
      expect(counts(told)).toEqual({ whole: 60, 'error-event': 0, wrong: 0 })
      expect(survival.plan.made.length).toBeGreaterThan(50)
      const grades = [...(await survival.records()).values()].flatMap(({ attempts }) => attempts.flatMap(({ continues = [] }) => continues))
      expect(new Set(grades)).toEqual(new Set([grade]))
      expect(grades.length).toBeGreaterThan(40)
      expect(told.filter(({ seen }) => seen.raw.includes(': lb continued this answer on whole/')).length).toBeGreaterThan(40)
    },
  )

  it.runIf(isLong)('come out whole where those that go on are cut off, too', async () => {
    survival = await Survival.start()
    const told = await survival.tell(eligibleStories(20), { random: new Seeded(5), concurrency: 10, cuts: { count: 2 } })
    expect(wrongs(told)).toEqual([])
    expect(survival.plan.made.length).toBeGreaterThan(30)
  })

  it('come out whole where one connection only falls silent', async () => {
    survival = await Survival.start({ pool: '    timeouts: { idle: 2s }\n' })
    const told = await survival.tell(eligibleStories(10), { random: new Seeded(6), concurrency: 10, cuts: { hows: ['freeze'] } })
    expect(wrongs(told)).toEqual([])
    expect(survival.plan.made.length).toBeGreaterThan(7)
  })

  it('end in the error that the official client raises where they are more', async () => {
    survival = await Survival.start()
    const told = await survival.tell(otherStories(54), { random: new Seeded(2), concurrency: 15 })
    expect(wrongs(told)).toEqual([])
    expect(counts(told)['error-event']).toBeGreaterThan(30)
  })

  it.runIf(isLong)('are cut with continuation: off, the negative control', async () => {
    survival = await Survival.start({ pool: '    continuation: off\n' })
    const told = await survival.tell(eligibleStories(20), { random: new Seeded(1), concurrency: 10 })
    expect(told.filter(({ seen }) => seen.error !== undefined).length).toBeGreaterThan(10)
  })
})

describe('streams whose engine is killed', () => {
  it('come out whole although the node that goes on is killed, too', async () => {
    const outcome = await run({
      subject: LbSubject.start(),
      engines: { count: 4, flags: ['--profile', '8b-h100', '--slowness', '3'] },
      ask: { count: 30, maxTokens: 80 },
      total: 60,
      concurrency: 30,
      stream: () => true,
      strikes: (fleet: Fleet) => [
        strike(fleet.at(0), 'kill -9', { ms: 900 }),
        strike(fleet.at(1), 'kill -9', { ms: 1_500 }),
        { at: { ms: 2_500 }, act: () => fleet.at(0).start() },
      ],
    })
    expect(outcome.examples).toEqual([])
    expect(outcome).toMatchObject({ n: 60, failed: 0, hung: 0, fakeDone: 0, lostCharacters: 0, doubledCharacters: 0 })
    expect(outcome.retries).toBeGreaterThan(5)
  })
})
