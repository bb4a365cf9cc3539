import { describe, expect, it } from 'vitest'
import { Life } from './life.test.fixture.js'
import { nodesOf, recordingTrace } from './scene.test.fixture.js'

const three = nodesOf([1, 1, 1])

/** Each node is measured at so many ms for each output token. */
function measured(msPerToken: readonly number[], settings: object = {}): Life {
  const life = new Life('latency', { settings })
  life.pick(three)
  for (const [index, ms] of msPerToken.entries())
    for (let sample = 0; sample < 5; sample += 1) life.serve(three[index]!, { outputTokens: 100, totalMs: 100 * ms })
  return life
}

describe('latency', () => {
  it('draws among the nodes within the buffer of the best, and no others', () => {
    const [best, near, far] = measured([20, 21, 30]).shares(three, 1_000)
    expect(far).toBe(0)
    expect(Math.min(best!, near!)).toBeGreaterThan(0.4)
  })

  it('draws in proportion to weight', () => {
    const life = measured([20, 20, 20])
    const heavy = [{ ...three[0]!, weight: 3 }, three[1]!, { ...three[2]!, weight: 4 }]
    const [first, second, third] = life.shares(heavy, 4_000)
    expect(first).toBeCloseTo(3 / 8, 1)
    expect(second).toBeCloseTo(1 / 8, 1)
    expect(third).toBeCloseTo(4 / 8, 1)
  })

  it('gives a new node a bounded share until it is measured', () => {
    const life = measured([20, 20])
    const [, , newcomer] = life.shares(three, 4_000)
    expect(newcomer).toBeGreaterThan(0.07)
    expect(newcomer).toBeLessThan(0.13)
    for (let sample = 0; sample < 3; sample += 1) life.serve(three[2]!, { outputTokens: 100, totalMs: 5_000 })
    expect(life.shares(three, 500)[2]).toBe(0)
  })

  it('leaves a node that fails quickly, and forgives one failure among many answers', () => {
    const failing = measured([20, 20, 20])
    for (let sample = 0; sample < 3; sample += 1) failing.serve(three[0]!, { outcome: 'failed', totalMs: 1 })
    expect(failing.shares(three, 500)[0]).toBe(0)
    const once = measured([20, 20, 20])
    for (let sample = 0; sample < 1_000; sample += 1) once.serve(three[0]!, { outputTokens: 100, totalMs: 2_000 })
    once.serve(three[0]!, { outcome: 'failed', totalMs: 1 })
    expect(once.shares(three, 500)[0]).toBeGreaterThan(0.2)
  })

  it('learns nothing from a client that left', () => {
    const life = measured([20, 20, 20])
    for (let sample = 0; sample < 100; sample += 1) life.serve(three[0]!, { outcome: 'cancelled', totalMs: 60_000, outputTokens: 1 })
    expect(life.shares(three, 500)[0]).toBeGreaterThan(0.2)
  })

  it('tries a bad node again once what it knows has faded, and a new process at once', () => {
    const life = measured([20, 20, 90])
    expect(life.shares(three, 200)[2]).toBe(0)
    const reborn = [three[0]!, three[1]!, { ...three[2]!, incarnation: 1 }]
    expect(life.shares(reborn, 200)[2]).toBeGreaterThan(0)
    const later = measured([20, 20, 90])
    later.clock.advance(40 * 60_000)
    for (const node of three.slice(0, 2))
      for (let sample = 0; sample < 5; sample += 1) later.serve(node, { outputTokens: 100, totalMs: 2_000 })
    expect(later.shares(three, 2_000)[2]).toBeGreaterThan(0.05)
  })

  it('says what was measured and why', () => {
    const trace = recordingTrace()
    measured([20, 40]).pick(three, {}, trace)
    expect(trace.costs.map(({ msPerToken }) => msPerToken)).toEqual([20, 40, undefined])
    expect(trace.units).toEqual(['ms per output token', 'lowest'])
    expect(trace.reasons).toHaveLength(1)
  })
})
