import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../base/index.js'
import { JudgedPool, type PoolOptions } from './judged-pool.test.fixture.js'

/** Nodes that give tokens: how long a step takes, how much that varies, how many requests each has. */
class Speakers {
  readonly pool: JudgedPool
  readonly stepMs: number[]
  readonly load: number[]
  private readonly random = seededRandom(11)

  constructor(
    count: number,
    readonly jitter: number,
    options: PoolOptions = {},
  ) {
    this.pool = new JudgedPool(count, options)
    this.stepMs = Array.from({ length: count }, () => 20)
    this.load = Array.from({ length: count }, () => 4)
  }

  /** A gap of each node that is asked, each 50 ms. */
  async speak(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      for (const [index, stepMs] of this.stepMs.entries()) if (!this.pool.isOut(index)) this.gap(index, stepMs)
      await this.pool.pass(50)
    }
  }

  /** Now and then a hiccup, else as even as it is. */
  private gap(index: number, stepMs: number): void {
    const hiccup = this.random.next() < 0.05 ? 5 : 1
    const factor = hiccup * (1 + this.jitter * (this.random.next() - 0.5))
    const decoding = this.pool.at(index).standing.trial === undefined ? (this.load[index] ?? 1) : 1
    this.pool.judge.pace(index, { msPerToken: stepMs * factor, decoding, kvTokens: 500 * decoding })
  }
}

describe('a node that turns slow', () => {
  it('is taken out within three seconds when it is four times slower than it was, and than its equals', async () => {
    const town = new Speakers(4, 0.5)
    await town.speak(30_000)
    expect(town.pool.out).toBe(0)
    town.stepMs[2] = 80
    await town.speak(3_000)
    expect(town.pool.isOut(2)).toBe(true)
    expect(town.pool.at(2).reason).toMatch(
      /^ejected for 8 s: [34]\.\d times slower between tokens than it used to be; its equals: 1\.\d times$/,
    )
  })

  it('comes back by trial when it is well again, and not before', async () => {
    const town = new Speakers(4, 0.5)
    await town.speak(30_000)
    town.stepMs[2] = 80
    await town.speak(60_000)
    expect(town.pool.judge.ejectionsOf('p/n2')?.slow).toBeGreaterThanOrEqual(2)
    expect(town.pool.judge.ejectionsOf('p/n2')?.slow).toBeLessThanOrEqual(5)
    expect(town.pool.said.join('\n')).toContain('still 4')
    town.stepMs[2] = 20
    await town.speak(70_000)
    expect(town.pool.isOut(2)).toBe(false)
    expect(town.pool.at(2).standing.view).toEqual({})
  })

  it('is left alone when all have turned slow: that is load, or their neighbour, and nobody’s fault', async () => {
    const town = new Speakers(4, 0.5)
    await town.speak(30_000)
    for (let index = 0; index < 4; index += 1) town.stepMs[index] = 100
    await town.speak(60_000)
    expect(town.pool.said.filter((line) => line.includes('ejected'))).toEqual([])
  })

  it('is left alone when it was slow from birth', async () => {
    const town = new Speakers(4, 0.5)
    town.stepMs[3] = 160
    await town.speak(300_000)
    expect(town.pool.said.filter((line) => line.includes('ejected'))).toEqual([])
    // And taken out where it becomes slower than that.
    town.stepMs[3] = 640
    await town.speak(4_000)
    expect(town.pool.isOut(3)).toBe(true)
  })

  it('is compared with nodes of its own engine only', async () => {
    const town = new Speakers(4, 0.5, { engines: ['a', 'a', 'b', 'b'] })
    await town.speak(30_000)
    town.stepMs[0] = 80
    town.stepMs[1] = 80
    await town.speak(20_000)
    expect(town.pool.out).toBe(0)
  })

  it('is left alone where no equal says how it is now', async () => {
    const town = new Speakers(2, 0.5, { engines: ['a', 'b'] })
    await town.speak(30_000)
    town.stepMs[0] = 200
    await town.speak(30_000)
    expect(town.pool.out).toBe(0)
  })

  it('is not judged where that is switched off', async () => {
    const town = new Speakers(4, 0.5, { eject: { slower: 0 } })
    await town.speak(30_000)
    town.stepMs[0] = 200
    await town.speak(30_000)
    expect(town.pool.out).toBe(0)
  })

  it('is not known any more when another process is behind it', async () => {
    const town = new Speakers(4, 0.5)
    await town.speak(30_000)
    town.pool.at(0).move('fail', 'killed')
    town.pool.begin(town.pool.at(0))
    town.pool.judge.forget(0)
    town.stepMs[0] = 80
    await town.speak(30_000)
    expect(town.pool.said.filter((line) => line.includes('times slower'))).toEqual([])
  })
})

describe('a node that is well', () => {
  it('is not taken out in ten minutes of noise and hiccups', async () => {
    for (const jitter of [0.5, 1.5]) {
      const town = new Speakers(4, jitter)
      await town.speak(600_000)
      expect(town.pool.said.filter((line) => line.includes('ejected'))).toEqual([])
    }
  })

  it('is not taken out for having more to do, on engines whose steps grow with it or not', async () => {
    for (const grows of [0, 0.5, 1]) {
      const town = new Speakers(3, 0.5)
      await town.speak(20_000)
      for (const load of [1, 2, 16, 64, 3, 32, 1, 8]) {
        town.load[0] = load
        town.stepMs[0] = 20 * Math.max(1, (load / 4) ** grows)
        await town.speak(15_000)
      }
      expect(town.pool.said.filter((line) => line.includes('ejected'))).toEqual([])
    }
  })

  it('is not taken out by gaps that make no sense', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ msPerToken: fc.double(), decoding: fc.double(), kvTokens: fc.double() }), { maxLength: 60 }),
        (gaps) => {
          const pool = new JudgedPool(3)
          for (const gap of gaps) {
            pool.clock.advance(100)
            pool.judge.pace(0, gap)
            pool.judge.pace(7, gap)
          }
          expect(pool.out).toBe(0)
        },
      ),
    )
  })
})
