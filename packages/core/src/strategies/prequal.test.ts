import { describe, expect, it } from 'vitest'
import { Life } from './life.test.fixture.js'
import { RecentQuantile } from './recent-quantile.js'
import { nodesOf, recordingTrace } from './scene.test.fixture.js'

const five = nodesOf([1, 1, 1, 1, 1])

/** Five nodes with 10, 11, 12, 13 and 50 requests, looked at until the quantile knows them; the fullest is the quickest. */
function busy(settings: object = {}): Life {
  const counts = [10, 11, 12, 13, 50]
  const life = new Life('prequal', { nodes: counts.map((inFlight) => ({ inFlight })), settings })
  for (let look = 0; look < 64; look += 1) life.pick(five)
  for (const [index, node] of five.entries()) life.serve(node, { ttftMs: 100 - 10 * index })
  return life
}

describe('prequal', () => {
  it('takes the quickest of the cold nodes, and never a hot one while one is cold', () => {
    expect(busy().shares(five, 100)).toEqual([0, 0, 1, 0, 0])
    expect(busy({ hotQuantile: 1 }).shares(five, 100)).toEqual([0, 0, 0, 0, 1])
    expect(busy({ hotQuantile: 0 }).shares(five, 100)).toEqual([1, 0, 0, 0, 0])
  })

  it('takes the fewest requests when all are hotter than what was seen lately', () => {
    const life = busy()
    for (const [index, inFlight] of [104, 101, 102, 103, 150].entries()) life.state(index, { inFlight })
    expect(life.pick(five)).toBe(1)
  })

  it('believes a poll that tells of the requests of others, for its time and its number of choices', () => {
    const polled = (): Life => {
      const nodes = [{ inFlight: 0, load: { running: 20, waiting: 5 }, loadAtMs: 0 }, { inFlight: 3 }]
      return new Life('prequal', { nodes, settings: { pollReuse: 2, hotQuantile: 0 } })
    }
    const two = nodesOf([1, 1])
    const requests = (life: Life): (number | undefined)[] => {
      const trace = recordingTrace()
      life.pick(two, {}, trace)
      return trace.costs.map((terms) => terms['requests'])
    }
    const used = polled()
    expect(requests(used)).toEqual([25, 3])
    used.serve(two[0]!)
    expect(requests(used)).toEqual([26, 3])
    used.serve(two[0]!)
    expect(requests(used)).toEqual([0, 3])
    const old = polled()
    old.clock.advance(1_001)
    expect(requests(old)).toEqual([0, 3])
  })

  it('counts requests for the weight of a node', () => {
    const life = new Life('prequal', { nodes: [{ inFlight: 8 }, { inFlight: 4 }], settings: { hotQuantile: 0 } })
    const nodes = nodesOf([4, 1])
    for (let look = 0; look < 64; look += 1) life.pick(nodes)
    expect(life.shares(nodes, 50)).toEqual([1, 0])
  })

  it('leaves a node whose requests fail at once', () => {
    const life = new Life('prequal')
    const two = nodesOf([1, 1])
    life.pick(two)
    life.serve(two[0]!, { outcome: 'failed', totalMs: 1 })
    life.serve(two[1]!, { ttftMs: 300 })
    expect(life.shares(two, 50)).toEqual([0, 1])
  })
})

describe('a recent quantile', () => {
  it('is that of the last numbers, however they came', () => {
    const quantile = new RecentQuantile(0.5, 5)
    expect(quantile.value).toBe(Infinity)
    const last: number[] = []
    for (const value of [5, 5, 1, 9, 3, 7, 7, 2, 2, 2, 8, 0]) {
      quantile.add(value)
      last.push(value)
      const ordered = last.slice(-5).sort((one, other) => one - other)
      expect(quantile.value).toBe(ordered[Math.floor(0.5 * (ordered.length - 1))])
    }
  })
})
