import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rolloutKinds } from '../topology/index.js'
import { leastOf, mostOf, placesFor, sharesOf, stagesOf, type Limits, type Stage, type StageWish } from './stages.js'

const wish: StageWish = { kind: 'canary', steps: [0.05, 0.25, 0.5, 1], holdMs: 1000, keepOldMs: 5000 }
const limits = (places: number, surge: number, unavailable = 0): Limits => ({ old: places, fresh: places, surge, unavailable })
const short = (stages: readonly Stage[]) =>
  stages.map(({ gone, come, share, holdMs }) => `-${gone} +${come} ${Math.round(share * 100)}%${holdMs === undefined ? '' : ' held'}`)

describe('the stages of a rollout', () => {
  it('replace nodes one by one, and watch each new one beside the old ones', () => {
    expect(short(stagesOf({ ...wish, kind: 'rolling' }, limits(3, 1)))).toEqual([
      '-0 +1 25% held',
      '-1 +1 33%',
      '-1 +2 50% held',
      '-2 +2 67%',
      '-2 +3 75% held',
      '-3 +3 100%',
    ])
  })

  it('drain a place before they fill it where there is no room for one more', () => {
    expect(short(stagesOf({ ...wish, kind: 'in-place' }, limits(2, 0)))).toEqual([
      '-1 +0 0%',
      '-1 +1 50% held',
      '-2 +1 100%',
      '-2 +2 100% held',
    ])
  })

  it('watch the only place alone before it is swapped, for there is no other time to compare with', () => {
    expect(short(stagesOf({ ...wish, kind: 'in-place' }, limits(1, 0)))).toEqual(['-0 +0 0% held', '-1 +0 0%', '-1 +1 100% held'])
  })

  it('bring as many new nodes as each share needs, and keep what old ones there is room for', () => {
    expect(short(stagesOf(wish, limits(4, 1)))).toEqual([
      '-0 +1 5% held',
      '-0 +1 25% held',
      '-1 +1 25%',
      '-1 +2 50% held',
      '-2 +2 50%',
      '-2 +3 50%',
      '-3 +3 50%',
      '-3 +4 100% held',
      '-4 +4 100%',
    ])
  })

  it('switch to a full second set that was watched in the dark, and keep the old one warm', () => {
    expect(short(stagesOf({ ...wish, kind: 'blue-green' }, limits(2, 2)))).toEqual([
      '-0 +2 0% held',
      '-0 +2 100% held',
      '-0 +2 100% held',
      '-2 +2 100%',
    ])
    expect(stagesOf({ ...wish, kind: 'blue-green' }, limits(2, 1))).toEqual([])
  })

  it('stay where a split or a shadow is, and have a way on for whoever promotes it', () => {
    const split = stagesOf({ ...wish, kind: 'split', steps: [0.3] }, limits(2, 1))
    expect(split.filter(({ isLasting }) => isLasting)).toMatchObject([{ come: 1, gone: 0, share: 0.3 }])
    const shadow = stagesOf({ ...wish, kind: 'shadow', steps: [1] }, limits(3, 2))
    expect(shadow.filter(({ isLasting }) => isLasting)).toMatchObject([{ come: 2, gone: 0, share: 0, shadowShare: 1 }])
    expect([split.at(-1), shadow.at(-1)]).toMatchObject([
      { gone: 2, come: 2, share: 1 },
      { gone: 3, come: 3, share: 1 },
    ])
  })

  it('are none where nothing may be more and nothing may be missing', () => {
    expect(stagesOf(wish, limits(2, 0))).toEqual([])
    expect(stagesOf({ ...wish, kind: 'rolling' }, limits(2, 0))).toEqual([])
    expect(stagesOf(wish, limits(1, 0, 1))).toEqual([])
  })

  it('show a share for each step', () => {
    expect(sharesOf(stagesOf(wish, limits(4, 1)))).toEqual([0.05, 0.25, 0.5, 1])
    expect(sharesOf(stagesOf({ ...wish, kind: 'split', steps: [0.3] }, limits(2, 1)))).toEqual([0.3])
  })

  it('count the nodes that a share needs', () => {
    expect([placesFor(0.05, 4), placesFor(0.25, 4), placesFor(0.3, 10), placesFor(1, 4), placesFor(0.5, 1)]).toEqual([1, 1, 3, 4, 1])
  })
})

describe('the law of capacity', () => {
  const anyWish = fc.record({
    kind: fc.constantFrom(...rolloutKinds),
    steps: fc
      .array(fc.double({ min: 0.01, max: 0.99, noNaN: true }), { minLength: 1, maxLength: 5 })
      .map((steps) => [...steps.sort((a, b) => a - b), 1]),
    holdMs: fc.constant(1000),
    keepOldMs: fc.constantFrom(0, 5000),
  })
  const anyLimits = fc.record({
    old: fc.integer({ min: 1, max: 12 }),
    fresh: fc.integer({ min: 1, max: 12 }),
    surge: fc.integer({ min: 0, max: 14 }),
    unavailable: fc.integer({ min: 0, max: 5 }),
  })

  it('never leaves fewer that serve, nor more that run, than was allowed; nothing goes back; while both have traffic there are both', () => {
    fc.assert(
      fc.property(anyWish, anyLimits, (made, given) => {
        const stages = stagesOf(made, given)
        const least = made.kind === 'in-place' ? leastOf({ ...given, unavailable: 1 }) : leastOf(given)
        const most = made.kind === 'in-place' ? mostOf({ ...given, surge: 0 }) : mostOf(given)
        let before = { gone: 0, come: 0, share: 0 }
        for (const { gone, come, share } of stages) {
          // What serves while this is brought about: old ones that stay, and new ones that are ready already.
          expect(given.old - gone + before.come).toBeGreaterThanOrEqual(least)
          expect(given.old - gone + come).toBeLessThanOrEqual(most)
          // Added to only once those that were taken away have ended.
          if (come > before.come) expect(gone).toBe(before.gone)
          expect([gone >= before.gone, come >= before.come, share >= before.share - 1e-9]).toEqual([true, true, true])
          if (share > 0) expect(come).toBeGreaterThan(0)
          if (share < 1 && made.kind !== 'in-place' && made.kind !== 'rolling') expect(gone).toBeLessThan(given.old)
          before = { gone, come, share }
        }
        if (stages.length > 0) expect(before).toMatchObject({ gone: given.old, come: given.fresh, share: 1 })
      }),
      { seed: 7, numRuns: 2000 },
    )
  })

  it('finds a way wherever one more fits', () => {
    fc.assert(
      fc.property(anyWish, anyLimits, (made, given) => {
        const needed = made.kind === 'blue-green' ? given.fresh : 1
        expect(stagesOf(made, { ...given, surge: Math.max(needed, given.surge) })).not.toEqual([])
      }),
      { seed: 8, numRuns: 1000 },
    )
  })
})
