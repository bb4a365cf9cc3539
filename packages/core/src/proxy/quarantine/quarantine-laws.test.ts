import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LifeEnd } from './inquests.js'
import { Town, type Citizen, type Walk } from './town.test.fixture.js'

const innocent = (town: Town, index: number, isStream: boolean, longestMs = 400): Citizen => ({
  body: `harmless ${index}`,
  serviceMs: 20 + longestMs * town.random(),
  ...(isStream ? { contentAfterMs: 5 + 15 * town.random() } : {}),
})
const codeOf = ({ fate }: Walk): string => (typeof fate === 'string' ? fate : fate.code)
const tally = (walks: readonly Walk[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const walk of walks) counts[codeOf(walk)] = (counts[codeOf(walk)] ?? 0) + 1
  return counts
}
const scene = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  desks: fc.integer({ min: 1, max: 4 }),
  deadlyAfterMs: fc.integer({ min: 0, max: 40 }),
  isStream: fc.boolean(),
})
/** As on a machine with too little to run on: words, breaks and ends arrive in any order. */
const weather = fc.record({
  wordMs: fc.integer({ min: 1, max: 30 }),
  breakMs: fc.integer({ min: 1, max: 30 }),
  endMs: fc.integer({ min: 1, max: 400 }),
  busyMs: fc.integer({ min: 0, max: 60 }),
  unsteadyMs: fc.integer({ min: 0, max: 20 }),
})

const crowd = (town: Town, isStream: boolean): Walk[] =>
  Array.from({ length: 50 }, (_, index) => town.send(innocent(town, index, isStream)))

describe('a request that crashes every engine', () => {
  it('costs two nodes of four at most amid innocents, none of whom fails or is refused', () => {
    fc.assert(
      fc.property(scene, ({ seed, desks, deadlyAfterMs, isStream }) => {
        const town = new Town({ seed, nodes: 4, desks })
        const innocents = crowd(town, isStream)
        town.clock.advance(10)
        const poison = town.send({ body: 'poison', deadlyAfterMs, serviceMs: 1 })
        town.settle()
        expect(tally(innocents)).toEqual({ answered: 50 })
        expect(codeOf(poison)).toBe('LB_REQUEST_QUARANTINED')
        expect(town.lost).toBeLessThanOrEqual(2)
        expect(town.office.list()).toHaveLength(1)
      }),
      { numRuns: 150 },
    )
  })

  it('is told from slow innocents that are at both nodes when it takes its time: it was the one that took the same time twice', () => {
    fc.assert(
      fc.property(scene, fc.integer({ min: 50, max: 600 }), ({ seed, desks }, deadlyAfterMs) => {
        const town = new Town({ seed, nodes: 4, desks })
        const innocents = Array.from({ length: 50 }, (_, index) => town.send(innocent(town, index, false, 1_500)))
        town.clock.advance(10)
        const poison = town.send({ body: 'poison', deadlyAfterMs, serviceMs: 1 })
        town.settle()
        expect(tally(innocents)).toEqual({ answered: 50 })
        expect(codeOf(poison)).toBe('LB_REQUEST_QUARANTINED')
        expect(town.lost).toBeLessThanOrEqual(2)
      }),
      { numRuns: 150 },
    )
  })

  it('is found in mid-stream, too: at the same word each time, or a little further each time', () => {
    fc.assert(
      fc.property(scene, fc.integer({ min: 1, max: 150 }), ({ seed, desks }, laterMs) => {
        const town = new Town({ seed, nodes: 4, desks })
        const innocents = crowd(town, true)
        town.clock.advance(10)
        const poison = town.send({ body: 'poison', contentAfterMs: 10, deadlyAfterMs: 10 + laterMs, serviceMs: 1 })
        town.settle()
        expect(tally(innocents)).toEqual({ answered: 50 })
        expect(codeOf(poison)).toBe('LB_REQUEST_QUARANTINED')
        expect(town.lost).toBeLessThanOrEqual(2)
      }),
      { numRuns: 100 },
    )
    const town = new Town({ seed: 1, nodes: 8, desks: 2, tries: 16 })
    const slow = town.send({ body: 'poison', contentAfterMs: 10, deadlyAfterMs: 600, serviceMs: 1 })
    town.settle()
    expect([codeOf(slow), town.lost]).toEqual(['LB_REQUEST_QUARANTINED', 4])
  })

  it('costs three nodes at most where lb did not launch them, and does not know how they end', () => {
    fc.assert(
      fc.property(scene, ({ seed, desks, deadlyAfterMs, isStream }) => {
        const town = new Town({ seed, nodes: 6, desks, crash: 'unknown', tries: 5 })
        const innocents = crowd(town, isStream)
        town.clock.advance(10)
        const poison = town.send({ body: 'poison', deadlyAfterMs, serviceMs: 1 })
        town.settle()
        expect(tally(innocents)).toEqual({ answered: 50 })
        expect(codeOf(poison)).toBe('LB_REQUEST_QUARANTINED')
        expect(town.lost).toBeLessThanOrEqual(3)
      }),
      { numRuns: 100 },
    )
  })

  it('costs two nodes at most however late threads hear of it, and whatever they do meanwhile', () => {
    fc.assert(
      fc.property(scene, weather, ({ seed, desks, deadlyAfterMs }, rough) => {
        const town = new Town({ seed, nodes: 4, desks, weather: rough })
        const innocents = Array.from({ length: 50 }, (_, index) => town.send(innocent(town, index, index % 2 === 0)))
        town.clock.advance(10 + 100 * town.random())
        const poison = town.send({ body: 'poison', deadlyAfterMs, serviceMs: 1 })
        town.settle()
        expect(tally(innocents)).toEqual({ answered: 50 })
        expect([codeOf(poison), town.lost]).toEqual(['LB_REQUEST_QUARANTINED', 2])
      }),
      { numRuns: 300 },
    )
  })

  it('costs two nodes in each of 200 towns where words, breaks and ends arrive in any order', () => {
    const late = { wordMs: 20, breakMs: 30, endMs: 400, busyMs: 60, unsteadyMs: 20 }
    for (let seed = 1; seed <= 200; seed++) {
      const town = new Town({ seed, nodes: 4, desks: 3, weather: late })
      const innocents = crowd(town, seed % 2 === 0)
      town.clock.advance(10 + 100 * town.random())
      const poison = town.send({ body: 'poison', deadlyAfterMs: 40 * town.random(), serviceMs: 1 })
      town.settle()
      expect([seed, tally(innocents), codeOf(poison), town.lost]).toEqual([seed, { answered: 50 }, 'LB_REQUEST_QUARANTINED', 2])
    }
  })

  it('is refused at once from then on, whoever sends it, until its time is over; then one more crash suffices', () => {
    const town = new Town({ seed: 1, nodes: 4, desks: 3 })
    const poison: Citizen = { body: 'poison', deadlyAfterMs: 5, serviceMs: 1 }
    town.send(poison)
    town.settle()
    town.clock.advance(1_000)
    for (let again = 0; again < 20; again++) expect(codeOf(town.send(poison))).toBe('LB_REQUEST_QUARANTINED')
    town.clock.advance(10)
    expect([town.lost, town.office.list()[0]?.refused]).toEqual([2, 21])
    town.clock.advance(600_000)
    expect(town.office.list()).toEqual([])
    const back = town.send(poison)
    town.settle()
    expect([codeOf(back), town.lost]).toEqual(['LB_REQUEST_QUARANTINED', 3])
    expect(town.sentences).toHaveLength(2)
    const [first = 0, second = 0] = town.sentences.map(({ untilMs }) => untilMs)
    expect(second - first).toBeGreaterThan(1_200_000)
  })

  it('is known again where clients have one try only and send it again after an hour', () => {
    const town = new Town({ seed: 2, nodes: 4, desks: 2, tries: 1 })
    const poison: Citizen = { body: 'poison', deadlyAfterMs: 5, serviceMs: 1 }
    town.send(poison)
    town.settle()
    town.clock.advance(3_600_000)
    town.send(poison)
    town.settle()
    town.clock.advance(1_000)
    expect(codeOf(town.send(poison))).toBe('LB_REQUEST_QUARANTINED')
    expect(town.lost).toBe(2)
  })

  it('may be let through by the operator, and is a new one then', () => {
    const town = new Town({ seed: 3, nodes: 4, desks: 2 })
    town.send({ body: 'poison', deadlyAfterMs: 5, serviceMs: 1 })
    town.settle()
    expect(town.office.lift(town.office.list()[0]?.fingerprint ?? '')).toBe(true)
    expect(town.office.lift('0000')).toBe(false)
    town.clock.advance(2_000)
    const mended = town.send({ body: 'poison', serviceMs: 20 })
    town.settle()
    expect(codeOf(mended)).toBe('answered')
    expect([town.office.list(), town.office.suspects]).toEqual([[], 0])
  })
})

describe('no request is blamed', () => {
  const chaos = (how: LifeEnd, nodes: number, isSame: boolean) =>
    fc.property(scene, ({ seed, desks, isStream }) => {
      const town = new Town({ seed, nodes, desks, crash: how })
      const walks: Walk[] = []
      for (let turn = 0; turn < 60; turn++) {
        for (let each = 0; each < 10; each++) {
          const citizen = innocent(town, walks.length, isStream, 300)
          walks.push(town.send(isSame ? { ...citizen, body: 'what everybody asks' } : citizen))
        }
        town.clock.advance(50)
        if (turn % 20 === 19) town.end(town.servers[Math.floor(town.random() * nodes)] as Town['servers'][number], how)
      }
      town.settle()
      expect(tally(walks)).toEqual({ answered: 600 })
      expect(town.sentences).toEqual([])
    })

  it('where somebody kills engines one after another', () => {
    fc.assert(chaos('killed', 4, false), { numRuns: 40 })
  })

  it('where nobody knows how they ended', () => {
    fc.assert(chaos('unknown', 4, false), { numRuns: 40 })
  })

  it('that all clients send, although it is at every engine that ends', () => {
    fc.assert(chaos('killed', 4, true), { numRuns: 20 })
    fc.assert(chaos('unknown', 4, true), { numRuns: 20 })
  })

  it('for long, when engines crash of themselves: whoever is answered is cleared', () => {
    fc.assert(
      fc.property(scene, ({ seed, desks, isStream }) => {
        const town = new Town({ seed, nodes: 4, desks })
        const walks = crowd(town, isStream)
        town.clock.advance(15)
        town.crash(town.servers[0] as Town['servers'][number])
        town.settle()
        town.clock.advance(1_000)
        expect(tally(walks)).toEqual({ answered: 50 })
        expect([town.office.suspects, town.sentences]).toEqual([0, []])
      }),
      { numRuns: 50 },
    )
  })

  it('and nobody waits long: a killed engine or a strange one costs no time, a crashed one little', () => {
    const held = (how: LifeEnd): number => {
      const town = new Town({ seed: 4, nodes: 4, desks: 2, crash: how })
      const walks = crowd(town, true)
      town.clock.advance(15)
      town.end(town.servers[0] as Town['servers'][number], how)
      town.settle()
      return Math.max(...walks.map(({ heldMs }) => heldMs))
    }
    expect(held('killed')).toBeLessThan(25)
    expect(held('unknown')).toBeLessThan(25)
    expect(held('crash')).toBeLessThan(300)
  })
})
