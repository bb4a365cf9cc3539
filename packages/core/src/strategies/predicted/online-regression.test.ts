import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/index.js'
import { OnlineRegression } from './online-regression.js'

const random = seededRandom(5)
const draw = (): Float64Array => Float64Array.of(1, random.next(), random.next())
const line = (x: Float64Array, [a, b, c]: readonly [number, number, number]): number => a + b * x[1]! + c * x[2]!

function meanError(model: OnlineRegression, truth: (x: Float64Array) => number): number {
  const xs = Array.from({ length: 200 }, draw)
  return xs.reduce((sum, x) => sum + Math.abs(model.predict(x) - truth(x)) / truth(x), 0) / xs.length
}

describe('the online regression', () => {
  it('finds a plane from its samples', () => {
    const truth = (x: Float64Array): number => line(x, [20, 400, 70])
    const model = new OnlineRegression(3, 0.01)
    for (let at = 0; at < 400; at += 1) {
      const x = draw()
      model.learn(x, truth(x))
    }
    expect(meanError(model, truth)).toBeLessThan(0.01)
  })

  it('finds it through noise and outliers', () => {
    const truth = (x: Float64Array): number => line(x, [20, 400, 70])
    const model = new OnlineRegression(3, 0.01)
    for (let at = 0; at < 2_000; at += 1) {
      const x = draw()
      const isOutlier = at % 50 === 49
      model.learn(x, isOutlier ? 100_000 : truth(x) * (0.9 + 0.2 * random.next()))
    }
    expect(meanError(model, truth)).toBeLessThan(0.1)
  })

  it('forgets what held before', () => {
    const model = new OnlineRegression(3, 0.01)
    for (let at = 0; at < 1_000; at += 1) {
      const x = draw()
      model.learn(x, line(x, at < 500 ? [20, 400, 70] : [60, 1_200, 0]))
    }
    expect(meanError(model, (x) => line(x, [60, 1_200, 0]))).toBeLessThan(0.05)
  })

  it('never says that more work is faster, nor anything that is no number', () => {
    const cell = fc.double({ min: 0, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell, cell), { maxLength: 200 }), (rows) => {
        const model = new OnlineRegression(3, 0.1)
        for (const [a, b, c, value] of rows) model.learn(Float64Array.of(a, b, c), value)
        for (const unit of [0, 1, 2]) expect(model.predict(Float64Array.of(0, 0, 0).fill(1, unit, unit + 1))).toBeGreaterThanOrEqual(0)
        expect(Number.isFinite(model.predict(Float64Array.of(1, 1, 1)))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
