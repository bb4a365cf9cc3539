import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../base/index.js'
import type { SplitPlan } from '../topology/index.js'
import { Parting, type Asker } from './parting.js'

const random = seededRandom(7)
const plan = (shares: readonly number[], more: Partial<SplitPlan> = {}): SplitPlan => ({
  sides: shares.map((share, at) => ({ revision: `r${at + 1}`, share })),
  sticky: false,
  watch: false,
  ...more,
})
const asker = (session: string | undefined, more: Partial<Asker> & { readonly address?: string } = {}): Asker => ({
  facts: { session, address: more.address ?? '192.0.2.1' },
  client: more.client,
  headers: more.headers ?? {},
})
const sideOf = (split: SplitPlan, session: string): string => new Parting(split, asker(session), random).side
const sessions = Array.from({ length: 4_000 }, (_, at) => `session ${at}`)
const shareOf = (sides: readonly string[], side: string): number => sides.filter((each) => each === side).length / sides.length

/** Shares that add up to 1. */
const shares = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 2, maxLength: 4 }).map((parts) => {
  const all = parts.reduce((sum, part) => sum + part, 0)
  return all === 0 ? parts.map((_, at) => (at === 0 ? 1 : 0)) : parts.map((part) => part / all)
})

describe('a pool with several revisions', () => {
  it('gives each its share of the conversations, as well as of the requests that belong to none', () => {
    fc.assert(
      fc.property(shares, (wanted) => {
        const split = plan(wanted)
        const named = sessions.map((session) => sideOf(split, session))
        const unnamed = sessions.map(() => new Parting(split, asker(undefined), random).side)
        for (const [at, share] of wanted.entries())
          for (const sides of [named, unnamed]) expect(Math.abs(shareOf(sides, `r${at + 1}`) - share)).toBeLessThan(0.045)
      }),
      { numRuns: 40 },
    )
  })

  it('keeps every conversation where it is when its share grows and no other does', () => {
    fc.assert(
      fc.property(shares, fc.nat(3), fc.double({ min: 0, max: 1, noNaN: true }), (before, place, growth) => {
        const grown = place % before.length
        const rest = 1 - (before[grown] ?? 0)
        const share = (before[grown] ?? 0) + rest * growth
        const after = before.map((each, at) => (at === grown ? share : rest === 0 ? 0 : (each / rest) * (1 - share)))
        for (const session of sessions.slice(0, 300)) {
          const now = sideOf(plan(after), session)
          const was = sideOf(plan(before), session)
          if (was === `r${grown + 1}`) expect(now).toBe(was)
          else expect([was, `r${grown + 1}`]).toContain(now)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('sends a conversation to the same revision in each thread and after each start', () => {
    const split = plan([0.5, 0.5])
    for (const session of sessions.slice(0, 100)) expect(sideOf(split, session)).toBe(sideOf(plan([0.5, 0.5]), session))
    expect(sessions.slice(0, 6).map((session) => sideOf(split, session))).toMatchInlineSnapshot(`
      [
        "r1",
        "r2",
        "r1",
        "r1",
        "r2",
        "r2",
      ]
    `)
  })

  it('knows a client where nothing names the conversation, but only where that is wanted and says something', () => {
    const side = (sticky: boolean, more: Parameters<typeof asker>[1]) => () =>
      new Parting(plan([0.5, 0.5], { sticky }), asker(undefined, more), random).side
    const distinct = (draw: () => string) => new Set(Array.from({ length: 60 }, draw)).size
    expect(distinct(side(true, { client: 'team a' }))).toBe(1)
    expect(distinct(side(true, { address: '192.0.2.7' }))).toBe(1)
    expect(distinct(side(true, { address: '127.0.0.1' }))).toBe(2)
    expect(distinct(side(false, { client: 'team a', address: '192.0.2.7' }))).toBe(2)
  })

  it('goes by a header that names a revision, whatever its share is, and by no other value of it', () => {
    const split = plan([1, 0], { header: { name: 'x-canary', values: { always: 'r2' } } })
    const named = new Parting(split, asker('s', { headers: { 'x-canary': 'always' } }), random)
    expect([named.side, named.admits({ revision: 'r2' }), named.isNamed]).toEqual(['r2', true, true])
    for (const value of ['never', 'constructor', '']) {
      const other = new Parting(split, asker('s', { headers: { 'x-canary': value } }), random)
      expect([other.side, other.admits({ revision: 'r2' }), other.isNamed]).toEqual(['r1', false, false])
    }
  })

  it('lets nobody near a revision without a share, and everybody near the trusted one', () => {
    const parting = new Parting(plan([0, 1, 0]), asker('s'), random)
    const admitted = ['r1', 'r2', 'r3', 'shadow', undefined].map((revision) => parting.admits(revision === undefined ? {} : { revision }))
    expect(admitted).toEqual([true, true, false, false, true])
  })

  it('moves a request back once, from any but the trusted revision', () => {
    const parting = new Parting(plan([0, 1]), asker('s'), random)
    expect(parting.moveBack({ revision: 'r1' })).toBe(false)
    expect(parting.side).toBe('r2')
    expect([parting.moveBack({ revision: 'r2' }), parting.side, parting.isAway]).toEqual([true, 'r1', false])
    expect(parting.moveBack({ revision: 'r2' })).toBe(false)
    parting.renew(plan([0, 1]))
    expect(parting.side).toBe('r1')
  })

  it('has a request that waits go by the shares of the moment', () => {
    const parting = new Parting(plan([1, 0]), asker(undefined), random)
    expect(parting.side).toBe('r1')
    parting.renew(plan([0, 1]))
    expect(parting.side).toBe('r2')
  })

  it('still knows whom to trust when the pool is parted no more, and keeps nobody out then', () => {
    const parting = new Parting(plan([1, 0]), asker(undefined), random)
    expect(parting.admits({ revision: 'r2' })).toBe(false)
    parting.renew(undefined)
    expect([parting.admits({ revision: 'r2' }), parting.isTrusted({ revision: 'r2' })]).toEqual([true, false])
    parting.renew(plan([1, 0]))
    expect(parting.admits({ revision: 'r2' })).toBe(false)
  })
})
