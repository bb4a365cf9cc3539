import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/index.js'
import { Evidence } from './evidence.js'

const guesses = [
  { tilt: 1, weight: 0.5 },
  { tilt: 4, weight: 0.5 },
]

describe('evidence', () => {
  it('is a fair bet: over all places that the canary may have in a set, it neither wins nor loses', () => {
    for (const values of [
      [0, 0, 1],
      [0.3, -2, 1.4, 0.2],
      [1, 1],
      [0, 1, 1, 1, 1, 1],
    ]) {
      let mean = 0
      for (const [at, one] of values.entries()) {
        const evidence = new Evidence(guesses)
        evidence.add({ side: 'canary', one, others: values.filter((_, index) => index !== at) })
        mean += Math.exp(evidence.log) / values.length
      }
      expect(mean).toBeCloseTo(1, 10)
    }
  })

  it('is fair from the side of the baseline too', () => {
    const values = [0.5, -1, 2]
    let mean = 0
    for (const [at, one] of values.entries()) {
      const evidence = new Evidence(guesses)
      evidence.add({ side: 'baseline', one, others: values.filter((_, index) => index !== at) })
      if (one === 2) expect(evidence.log).toBeLessThan(0)
      mean += Math.exp(evidence.log) / values.length
    }
    expect(mean).toBeCloseTo(1, 10)
  })

  it('loses on average where a value alone is as rare as it may be, or rarer', () => {
    for (const share of [0.02, 0.01, 0]) {
      const [hit, miss] = [1, 0].map((value) => {
        const evidence = new Evidence(guesses)
        evidence.addAlone(value, 0.02)
        return Math.exp(evidence.log)
      }) as [number, number]
      expect(share * hit + (1 - share) * miss).toBeLessThanOrEqual(1 + 1e-12)
    }
  })

  it('reaches 1/a with a chance of at most a where both sides are the same, looked at after every set', () => {
    const random = seededRandom(11)
    let alarms = 0
    const runs = 2_000
    for (let run = 0; run < runs; run += 1) {
      const evidence = new Evidence(guesses)
      for (let set = 0; set < 150 && evidence.confidence < 0.9; set += 1) {
        evidence.add({ side: 'canary', one: random.next(), others: [random.next(), random.next()] })
      }
      if (evidence.confidence >= 0.9) alarms += 1
    }
    expect(alarms / runs).toBeLessThan(0.1)
    expect(alarms / runs).toBeGreaterThan(0.01)
  })

  it('is sure after few sets where the canary is always worst', () => {
    const evidence = new Evidence(guesses)
    for (let set = 0; set < 5; set += 1) evidence.add({ side: 'canary', one: 1, others: Array.from({ length: 19 }, () => 0) })
    expect(evidence.confidence).toBeGreaterThan(0.9999)
  })

  it('does not forget to look: after thousands of sets that were fine a few that are not are enough', () => {
    const evidence = new Evidence(guesses)
    const others = Array.from({ length: 5 }, (_, index) => index / 5)
    for (let set = 0; set < 5_000; set += 1) evidence.add({ side: 'canary', one: (set % 5) / 5, others })
    expect(evidence.log).toBeGreaterThan(-20)
    let needed = 0
    while (evidence.confidence < 0.999 && needed < 100) {
      needed += 1
      evidence.add({ side: 'canary', one: 1.5, others })
    }
    expect(needed).toBeLessThan(40)
  })

  it('goes on after a restart as if there had been none', () => {
    const random = seededRandom(5)
    const [whole, first] = [new Evidence(guesses), new Evidence(guesses)]
    const sets = Array.from({ length: 200 }, () => ({
      side: 'canary' as const,
      one: random.next(),
      others: [random.next(), random.next()],
    }))
    for (const set of sets) whole.add(set)
    for (const set of sets.slice(0, 90)) first.add(set)
    const second = new Evidence(guesses)
    second.takeUp(JSON.parse(JSON.stringify(first.kept())) as ReturnType<Evidence['kept']>)
    expect(second.log).toBeCloseTo(first.log, 10)
    for (const set of sets.slice(90)) second.add(set)
    expect([second.log, second.confidence]).toEqual([expect.closeTo(whole.log, 8), expect.closeTo(whole.confidence, 8)])
  })
})
