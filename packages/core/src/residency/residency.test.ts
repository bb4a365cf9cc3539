import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../base/index.js'
import { SharedCard } from './shared-card.test.fixture.js'

const three = { sizes: { a: 8, b: 8, c: 8 }, room: 10 }

async function begun(card: SharedCard): Promise<SharedCard> {
  card.residency.stir()
  await card.pass(100)
  return card
}

const statesOf = (card: SharedCard) => card.residency.list().map(({ state }) => state)

describe('pools that share one accelerator', () => {
  it('swap when somebody waits, and tell what they do', async () => {
    const card = await begun(new SharedCard(three))
    await card.pass(60_000)
    card.ask('b')
    await card.pass(100)
    expect(statesOf(card)).toEqual(['going-to-rest', 'making-room', 'resting'])
    await card.pass(100)
    expect(statesOf(card)).toEqual(['resting', 'waking', 'resting'])
    await card.pass(3_000)
    expect(statesOf(card)).toEqual(['resting', 'awake', 'resting'])
    expect(card.said).toEqual([
      'a is awake after 0 ms',
      'a makes room: the turn of b has come',
      'a rests',
      'b is woken for requests that wait',
      'b is awake after 2.0 s',
    ])
    expect(card.residency.list()[1]).toMatchObject({ pool: 'b', wakes: 1, waiting: 0, reason: 'is awake after 2.0 s' })
    expect(card.answered).toBe(1)
  })

  it('tell who waits for whom, and for how long', async () => {
    const card = await begun(new SharedCard(three))
    card.ask('b')
    await card.pass(10_000)
    expect(card.residency.list()[1]).toMatchObject({ state: 'resting', waiting: 1, reason: 'its turn comes in 20 s: until then a stays' })
  })

  it('say what a request waits for, so that whoever gives up is told', async () => {
    const card = await begun(new SharedCard({ ...three, answerMs: () => 3_600_000 }))
    card.ask('a')
    card.ask('b')
    await card.pass(10_000)
    card.ask('c')
    await card.pass(1_000)
    const words = () => ['a', 'b', 'c'].map((name) => card.waitsFor.get(name)?.words)
    expect(words()).toEqual([undefined, 'waits until a has had the time that is due', 'waits for its turn: others were asked for first'])
    await card.pass(25_000)
    expect(words()).toEqual([undefined, 'waits until a has ended what runs there', 'waits for its turn: others were asked for first'])
    await card.pass(3_600_000, 10_000)
    expect(words()[1]).toBeUndefined()
  })

  it('wait for a long answer before they leave, and take no new request meanwhile', async () => {
    const card = await begun(new SharedCard({ ...three, answerMs: () => 20_000 }))
    await card.pass(30_000)
    card.ask('a')
    card.ask('b')
    await card.pass(10_000)
    expect(statesOf(card)).toEqual(['going-to-rest', 'making-room', 'resting'])
    card.ask('a')
    await card.pass(9_000)
    expect([card.cut, card.awake]).toEqual([0, ['a']])
    await card.pass(5_000)
    expect(card.awake).toEqual(['b'])
    await card.pass(60_000)
    expect([card.cut, card.answered]).toEqual([0, 3])
  })

  it('do not thrash when two clients alternate: one swap in each minimum residence, and everybody is answered', async () => {
    const card = await begun(new SharedCard({ ...three, random: seededRandom(3) }))
    for (let second = 0; second < 600; second += 1) {
      card.ask(second % 2 === 0 ? 'a' : 'b')
      await card.pass(1_000)
    }
    await card.pass(120_000)
    expect(card.answered).toBe(600)
    expect(card.swapsMs.length).toBeLessThanOrEqual(720 / 30 + 1)
    expect(card.swapsMs.length).toBeGreaterThan(10)
    const without = await begun(new SharedCard({ ...three, plans: { a: { minResidentMs: 0 }, b: { minResidentMs: 0 } } }))
    for (let second = 0; second < 600; second += 1) {
      without.ask(second % 2 === 0 ? 'a' : 'b')
      await without.pass(1_000)
    }
    expect(without.swapsMs.length).toBeGreaterThan(5 * card.swapsMs.length)
  })

  it('go to rest when a person says so, and come back with the next request', async () => {
    const card = await begun(new SharedCard(three))
    expect(card.residency.unload('a').state).toBe('going-to-rest')
    await card.pass(200)
    expect(statesOf(card)).toEqual(['resting', 'resting', 'resting'])
    expect(card.residency.unload('a').state).toBe('resting')
    card.ask('a')
    await card.pass(3_000)
    expect([card.awake, card.answered]).toEqual([['a'], 1])
  })

  it('say why one cannot be put to rest', async () => {
    const card = await begun(new SharedCard(three))
    expect(() => card.residency.unload('x')).toThrow(expect.objectContaining({ code: 'LB_CANNOT_UNLOAD' }))
    card.of('a').isPinned = true
    expect(() => card.residency.unload('a')).toThrow(/a rollout runs there/)
    card.of('b').unable = true
    expect(() => card.residency.unload('b')).toThrow(/cannot be put to rest/)
  })

  it('learn from a set that was thought to fit and did not: next time the others make room first', async () => {
    const card = await begun(new SharedCard({ sizes: { a: 8, b: 8 }, room: 10, thought: { a: 5, b: 5 } }))
    await card.pass(60_000)
    card.ask('b')
    await card.pass(2_200)
    expect(card.said).toContain('b could not be woken beside a: out of memory; it comes back once they make room')
    await card.pass(10_000)
    expect([card.awake, card.answered, card.crashes]).toEqual([['b'], 1, 1])
    card.ask('a')
    await card.pass(60_000)
    expect([card.awake, card.answered, card.crashes]).toEqual([['a'], 2, 1])
  })

  it('learn nothing of those on other machines', async () => {
    const card = await begun(new SharedCard({ sizes: { a: 4, b: 4 }, room: 10, broken: new Set(['b']), apart: true }))
    card.ask('b')
    await card.pass(120_000)
    expect([card.awake, card.swapsMs]).toEqual([['a'], []])
    expect(card.said).toContain('b could not be woken: out of memory')
  })

  it('let others have the place of one that does not start, and try it again ever less often', async () => {
    const card = await begun(new SharedCard({ ...three, broken: new Set(['b']) }))
    card.ask('b')
    for (let minute = 0; minute < 10; minute += 1) {
      card.ask('a')
      card.ask('c')
      await card.pass(60_000)
    }
    await card.pass(120_000)
    expect(card.answered).toBe(20)
    expect(card.residency.list()[1]?.wakes).toBeLessThanOrEqual(8)
    expect(card.said).toContain('b could not be woken: out of memory')
  })

  it('begin one anew that nobody starts any more, ever less often, as long as somebody waits for it', async () => {
    const card = await begun(new SharedCard({ sizes: { a: 8, b: 8 }, room: 20, broken: new Set(['b']), givesUp: true, apart: true }))
    card.ask('b')
    await card.pass(600_000)
    const wakes = card.residency.list()[1]?.wakes ?? 0
    expect(wakes).toBeGreaterThan(3)
    expect(wakes).toBeLessThan(10)
    expect(card.said).toContain('b goes to rest: its engines do not start; the next request tries again')
    expect(card.awake).toEqual(['a'])
    expect(card.waitsFor.get('b')).toEqual({ words: 'could not be woken: out of memory; it is tried again in a while', isHeldBack: true })
    card.of('b').line = []
    await card.pass(310_000)
    expect(card.waitsFor.get('b')).toEqual({ isHeldBack: false })
  })

  it('are thought to fit again where the one that failed beside the others does not start alone either', async () => {
    const broken = new Set(['b'])
    const card = await begun(new SharedCard({ sizes: { a: 8, b: 8 }, room: 20, broken, givesUp: true }))
    card.ask('b')
    await card.pass(100_000)
    expect(card.said).toContain('b could not be woken: out of memory')
    broken.clear()
    await card.pass(200_000)
    expect(card.awake).toEqual(['b'])
    card.ask('a')
    await card.pass(10_000)
    expect(card.awake).toEqual(['a', 'b'])
  })

  it('tell whoever counts what they did and why', async () => {
    const card = await begun(new SharedCard(three))
    await card.pass(60_000)
    card.ask('b')
    await card.pass(5_000)
    expect(card.news).toEqual([
      { kind: 'awake', pool: 'a', afterMs: 0 },
      { kind: 'rests', pool: 'a', reason: { why: 'turn', of: 'b' } },
      { kind: 'awake', pool: 'b', afterMs: 2_000 },
    ])
  })

  it('go on after a fault in the looking', async () => {
    const card = await begun(new SharedCard(three))
    await card.pass(60_000)
    card.fault = new Error('a bug')
    card.ask('b')
    await card.pass(1_000)
    card.fault = undefined
    await card.pass(10_000)
    expect(card.awake).toEqual(['b'])
  })

  it('look at most once a day for what is due only in months: no timer can be set for that', async () => {
    const card = await begun(new SharedCard({ ...three, plans: { a: { idleUnloadMs: 90 * 86_400_000 } } }))
    let looks = 0
    const { clock } = card
    const after = clock.after.bind(clock)
    clock.after = (delayMs, callback) => {
      looks += 1
      expect(delayMs).toBeLessThan(2 ** 31)
      return after(delayMs, callback)
    }
    clock.advance(3 * 86_400_000)
    expect(looks).toBeLessThanOrEqual(3)
  })

  it('leave no timer behind when they stop', async () => {
    const card = await begun(new SharedCard({ ...three, plans: { a: { idleUnloadMs: 60_000 } } }))
    expect(card.clock.pending).toBe(1)
    card.residency.stop()
    expect(card.clock.pending).toBe(0)
  })
})

const request = fc.record({ pool: fc.constantFrom('a', 'b', 'c', 'd'), afterMs: fc.nat(8_000) })

describe('whatever is asked of pools that share an accelerator', () => {
  it('no answer is cut, none do not fit, every request is answered within the bound, and each stays for its minimum residence', async () => {
    const sizes = fc.record({
      a: fc.integer({ min: 1, max: 10 }),
      b: fc.integer({ min: 1, max: 10 }),
      c: fc.integer({ min: 1, max: 10 }),
      d: fc.integer({ min: 1, max: 10 }),
    })
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(request, { maxLength: 60 }), fc.nat(), async (each, requests, seed) => {
        const random = seededRandom(seed)
        const card = await begun(new SharedCard({ sizes: each, room: 10, random, answerMs: (dice) => 100 + 4_900 * dice.next() }))
        for (const { pool, afterMs } of requests) {
          await card.pass(afterMs, 500)
          card.ask(pool)
        }
        // Three others at most, each of which stays, ends what it has and is followed by one that has to wake.
        const boundMs = 4 * (30_000 + 5_000 + 2_000) + 1_000
        await card.pass(boundMs, 500)
        expect([card.cut, card.crashes, card.answered]).toEqual([0, 0, requests.length])
        expect(Math.max(0, ...card.waitsMs)).toBeLessThanOrEqual(boundMs)
        const gaps = card.swapsMs.map((atMs, index) => atMs - (card.swapsMs[index - 4] ?? -Infinity))
        expect(Math.min(Infinity, ...gaps)).toBeGreaterThanOrEqual(30_000)
      }),
      { numRuns: 60 },
    )
  })
})
