import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextMoves } from './next-moves.js'
import type { PoolView, ResidencyQuestion } from './pool-view.js'

const plan = { minResidentMs: 30_000, evictCost: 1, wakeWithinMs: 300_000 }

function pool(name: string, facts: Partial<PoolView> = {}): PoolView {
  return {
    name,
    plan,
    phase: 'resting',
    sinceMs: 0,
    waiting: 0,
    firstWaiterMs: Infinity,
    inFlight: 0,
    lastWorkMs: 0,
    isPinned: false,
    shallRest: false,
    isGivenUp: false,
    notBeforeMs: -Infinity,
    ...facts,
  }
}

const oneAtATime: ResidencyQuestion['fits'] = (names) => names.length < 2
/** So much fits together. */
const within = (mib: number, sizes: Readonly<Record<string, number>>) => (names: readonly string[]) =>
  names.length < 2 || names.reduce((sum, name) => sum + (sizes[name] ?? 0), 0) <= mib
const waits = (sinceMs: number) => ({ waiting: 1, firstWaiterMs: sinceMs })
const awake = { phase: 'awake' } as const

describe('the next moves of pools that share accelerators', () => {
  it('wake who is waited for where there is room, and nobody else', () => {
    const pools = [pool('a'), pool('b', waits(5)), pool('c')]
    expect(nextMoves({ pools, nowMs: 10, fits: oneAtATime })).toEqual({
      wake: ['b'],
      rest: [],
      makingRoom: [],
      queued: new Map(),
      lookAgainMs: Infinity,
    })
  })

  it('leave who is awake for its minimum residence, then put it to rest, and wake the next when it is gone', () => {
    const waiting = pool('b', waits(1_000))
    const early = nextMoves({ pools: [pool('a', awake), waiting], nowMs: 29_999, fits: oneAtATime })
    expect(early).toEqual({
      wake: [],
      rest: [],
      makingRoom: [],
      lookAgainMs: 30_000,
      queued: new Map([['b', { behind: ['a'], dueMs: 30_000 }]]),
    })
    const due = nextMoves({ pools: [pool('a', awake), waiting], nowMs: 30_000, fits: oneAtATime })
    expect(due).toMatchObject({ wake: [], rest: [{ pool: 'a', reason: { why: 'turn', of: 'b' } }], makingRoom: ['b'] })
    const leaving = nextMoves({ pools: [pool('a', { phase: 'going-to-rest' }), waiting], nowMs: 31_000, fits: oneAtATime })
    expect(leaving).toMatchObject({ wake: [], rest: [], makingRoom: ['b'] })
    expect(nextMoves({ pools: [pool('a'), waiting], nowMs: 32_000, fits: oneAtATime }).wake).toEqual(['b'])
  })

  it('give turns in the order of the first waiter', () => {
    const pools = [pool('a', waits(9)), pool('b', waits(7)), pool('c', waits(8))]
    expect(nextMoves({ pools, nowMs: 10, fits: oneAtATime }).wake).toEqual(['b'])
  })

  it('put the cheapest set to rest, an idle one before one with work', () => {
    const sizes = { big: 8, a: 4, b: 4, c: 4, next: 4 }
    const cost = (evictCost: number) => ({ ...awake, plan: { ...plan, evictCost } })
    const fits = within(12, sizes)
    const three = [pool('a', cost(3)), pool('b', cost(1)), pool('c', cost(2))]
    const ask = (pools: PoolView[]) => nextMoves({ pools, nowMs: 60_000, fits }).rest.map(({ pool: name }) => name)
    expect(ask([...three, pool('next', waits(1))])).toEqual(['b'])
    expect(ask([...three, pool('big', waits(1))])).toEqual(['b', 'c'])
    expect(ask([pool('a', cost(3)), pool('b', { ...cost(1), inFlight: 1 }), pool('c', cost(2)), pool('next', waits(1))])).toEqual(['c'])
  })

  it('let several be awake together as far as they fit', () => {
    const fits = within(8, { a: 4, b: 4, c: 4 })
    expect(nextMoves({ pools: [pool('a', awake), pool('b', waits(1))], nowMs: 1, fits }).wake).toEqual(['b'])
    const full = [pool('a', awake), pool('b', awake), pool('c', waits(1))]
    expect(nextMoves({ pools: full, nowMs: 1, fits })).toMatchObject({ wake: [], rest: [] })
  })

  it('let nobody pass whose turn has come, though a smaller one would fit right now', () => {
    const fits = within(8, { a: 4, big: 8, small: 4 })
    const pools = [pool('a', awake), pool('big', waits(1)), pool('small', waits(2))]
    expect(nextMoves({ pools, nowMs: 10, fits })).toMatchObject({ wake: [], rest: [] })
    const waking = [pool('a', { phase: 'waking' }), pool('big', waits(1)), pool('small', waits(2))]
    expect(nextMoves({ pools: waking, nowMs: 10, fits }).wake).toEqual([])
  })

  it('call back who was on its way out, where nobody else wants its place', () => {
    const leaving = pool('a', { phase: 'going-to-rest', ...waits(5) })
    expect(nextMoves({ pools: [leaving, pool('b')], nowMs: 10, fits: oneAtATime }).wake).toEqual(['a'])
    expect(nextMoves({ pools: [leaving, pool('b', waits(3))], nowMs: 10, fits: oneAtATime }).wake).toEqual([])
    expect(nextMoves({ pools: [{ ...leaving, shallRest: true }], nowMs: 10, fits: oneAtATime }).wake).toEqual([])
  })

  it('send to rest who has been idle for long enough, and whom a person sends at once', () => {
    const idle = { ...plan, idleUnloadMs: 60_000 }
    const ask = (facts: Partial<PoolView>, nowMs: number) =>
      nextMoves({ pools: [pool('a', { ...awake, plan: idle, lastWorkMs: 10_000, ...facts })], nowMs, fits: oneAtATime })
    expect(ask({}, 69_999)).toMatchObject({ rest: [], lookAgainMs: 70_000 })
    expect(ask({}, 70_000).rest).toEqual([{ pool: 'a', reason: { why: 'idle' } }])
    expect(ask({ inFlight: 1 }, 70_000).rest).toEqual([])
    expect(ask({ sinceMs: 60_000 }, 70_000)).toMatchObject({ rest: [], lookAgainMs: 90_000 })
    expect(ask({ shallRest: true }, 10_001).rest).toEqual([{ pool: 'a', reason: { why: 'asked' } }])
  })

  it('put to rest at once whose engines nobody starts again, so that its next turn begins them anew', () => {
    const lost = pool('a', { ...awake, ...waits(1), isGivenUp: true, notBeforeMs: 20_000 })
    expect(nextMoves({ pools: [lost], nowMs: 10, fits: oneAtATime }).rest).toEqual([{ pool: 'a', reason: { why: 'failed' } }])
    expect(nextMoves({ pools: [{ ...lost, isPinned: true }], nowMs: 10, fits: oneAtATime }).rest).toEqual([])
  })

  it('neither move what is pinned nor hold others back behind it', () => {
    const fits = within(8, { a: 4, big: 8, small: 4 })
    const pools = [pool('a', { ...awake, isPinned: true }), pool('big', waits(1)), pool('small', waits(2))]
    expect(nextMoves({ pools, nowMs: 60_000, fits })).toMatchObject({ wake: ['small'], rest: [] })
  })

  it('wait a while with one that was woken in vain, and let others pass', () => {
    const pools = [pool('a', { ...waits(1), notBeforeMs: 20_000 }), pool('b', waits(2))]
    expect(nextMoves({ pools, nowMs: 10, fits: oneAtATime })).toMatchObject({ wake: ['b'], lookAgainMs: 20_000 })
  })
})

const view = fc.record({
  phase: fc.constantFrom('awake', 'waking', 'going-to-rest', 'resting'),
  sinceMs: fc.nat(60_000),
  waiting: fc.nat(3),
  firstWaiterMs: fc.nat(60_000),
  inFlight: fc.nat(2),
  lastWorkMs: fc.nat(60_000),
  isPinned: fc.boolean(),
  shallRest: fc.boolean(),
  size: fc.integer({ min: 1, max: 10 }),
  evictCost: fc.nat(5),
})

describe('whatever the pools are at, the next moves', () => {
  it('wake nothing beside what it does not fit with, rest nobody early, and never both for one', () => {
    fc.assert(
      fc.property(fc.array(view, { minLength: 1, maxLength: 7 }), fc.nat(90_000), (views, nowMs) => {
        const sizes = Object.fromEntries(views.map(({ size }, index) => [`p${index}`, size]))
        const fits = within(10, sizes)
        const pools = views.map((facts, index) => pool(`p${index}`, { ...facts, plan: { ...plan, evictCost: facts.evictCost } }))
        const moves = nextMoves({ pools, nowMs, fits })
        const held = pools.filter(({ phase }) => phase !== 'resting').map(({ name }) => name)
        const added = moves.wake.filter((name) => !held.includes(name))
        if (added.length > 0) expect(fits([...held, ...added])).toBe(true)
        for (const { pool: name, reason } of moves.rest) {
          const found = pools.find((each) => each.name === name)
          expect(found?.phase).toBe('awake')
          expect(found?.isPinned).toBe(false)
          if (reason.why !== 'asked') expect(nowMs).toBeGreaterThanOrEqual((found?.sinceMs ?? 0) + 30_000)
          expect(moves.wake).not.toContain(name)
        }
        for (const name of moves.wake) expect(pools.find((each) => each.name === name)?.waiting).toBeGreaterThan(0)
        expect(moves.lookAgainMs).toBeGreaterThan(nowMs)
      }),
      { numRuns: 2_000 },
    )
  })
})
