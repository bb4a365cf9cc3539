import { describe, expect, it } from 'vitest'
import type { VirtualRun } from './run-chain.js'
import type { VirtualEngine } from './virtual-contract.js'
import { createVirtualEngine } from './virtual-engine.js'

const run = (id: number, tokens: number): VirtualRun => ({ id, tokens })

const silent = { firstToken: () => {}, finished: () => {} }

/** Lets the engine run dry; what it told, as lines. */
function drain(engine: VirtualEngine): string[] {
  const told: string[] = []
  while (engine.nextMs < Infinity)
    engine.advance(engine.nextMs, {
      firstToken: (key, atMs, cached) => void told.push(`first ${key} at ${atMs.toFixed(6)} with ${cached} cached`),
      finished: (key, atMs) => void told.push(`end ${key} at ${atMs.toFixed(6)}`),
      preempted: (key) => void told.push(`preempted ${key}`),
    })
  return told
}

describe('the virtual engine', () => {
  it('tells the first token and the end in virtual time', () => {
    const engine = createVirtualEngine({ preset: '8b-a100' })
    engine.submit({ key: 1, promptRuns: [], promptTokens: 1000, outputTokens: 3 }, 100)
    const firstMs = 100 + 10.5 + 0.068 * 1000 + 2.9e-6 * 1000 * 500
    const endMs = firstMs + 2 * (10.5 + 0.03) + 8.2e-5 * (1000 + 1001)
    expect(drain(engine)).toEqual([`first 1 at ${firstMs.toFixed(6)} with 0 cached`, `end 1 at ${endMs.toFixed(6)}`])
    expect(engine.nextMs).toBe(Infinity)
  })

  it('hits shared runs, a part of a run, and answers', () => {
    const engine = createVirtualEngine()
    engine.submit({ key: 1, promptRuns: [run(7, 100), run(8, 60)], promptTokens: 160, outputTokens: 40, answerId: 9 }, 0)
    drain(engine)
    expect(engine.cachedTokens([run(7, 100), run(8, 60)], 161)).toBe(160)
    expect(engine.cachedTokens([run(7, 100), run(8, 60)], 160)).toBe(144)
    // The block that reaches from run 7 into the next one belongs to the next one.
    expect(engine.cachedTokens([run(7, 100), run(5, 60)], 160)).toBe(96)
    expect(engine.cachedTokens([run(7, 50)], 160)).toBe(48)
    expect(engine.cachedTokens([run(8, 60)], 160)).toBe(0)
    // The last answer token's KV was never computed.
    expect(engine.cachedTokens([run(7, 100), run(8, 60), run(9, 40)], 300)).toBe(192)
  })

  it('forgets everything in a crash and names what it lost', () => {
    const engine = createVirtualEngine()
    engine.submit({ key: 1, promptRuns: [run(1, 64)], promptTokens: 64, outputTokens: 4 }, 0)
    engine.submit({ key: 2, promptRuns: [], promptTokens: 64, outputTokens: 4 }, 0)
    expect(engine.crash(3)).toEqual([1, 2])
    expect(engine.nextMs).toBe(Infinity)
    expect(engine.cachedTokens([run(1, 64)], 65)).toBe(0)
    expect(engine.stats).toMatchObject({ running: 0, waiting: 0, usedBlocks: 0 })
  })

  it('refuses a request from a time whose past it has not told', () => {
    const engine = createVirtualEngine()
    const request = { key: 1, promptRuns: [], promptTokens: 64, outputTokens: 4 }
    engine.submit(request, 0)
    expect(() => engine.submit({ ...request, key: 2 }, engine.nextMs + 1)).toThrow(/advance/)
    expect(() => engine.submit(request, 0)).toThrow(/in the engine already/)
    expect(() => engine.submit({ ...request, key: 3, promptRuns: [run(1, 65)] }, 0)).toThrow(
      /runs of 65 tokens do not fit into a prompt of 64/,
    )
  })

  it('takes a long answer in one leap, and stops in the middle of it for whoever comes', () => {
    const engine = createVirtualEngine({ preset: '8b-a100' })
    engine.submit({ key: 1, promptRuns: [], promptTokens: 100, outputTokens: 10_001 }, 0)
    engine.advance(engine.nextMs, silent)
    const firstMs = engine.nextMs
    expect(firstMs).toBeGreaterThan(100_000)
    engine.advance(50_000, silent)
    expect(engine.decodeSteps).toBeGreaterThan(4000)
    engine.submit({ key: 2, promptRuns: [], promptTokens: 50, outputTokens: 1 }, 50_000)
    expect(engine.nextMs).toBeGreaterThanOrEqual(50_000)
    expect(engine.nextMs).toBeLessThan(50_000 + 2 * 10.6)
    expect(drain(engine).map((line) => line.split(' at ')[0])).toEqual(['first 2', 'end 2', 'end 1'])
  })

  it('lets a listener go on with the conversation at once', () => {
    const engine = createVirtualEngine()
    const first = { key: 1, promptRuns: [run(7, 64)], promptTokens: 64, outputTokens: 32, answerId: 9 }
    const second = { key: 2, promptRuns: [run(7, 64), run(9, 32), run(8, 16)], promptTokens: 112, outputTokens: 1 }
    const hits: number[] = []
    engine.submit(first, 0)
    while (engine.nextMs < Infinity)
      engine.advance(engine.nextMs, {
        firstToken: (_key, _atMs, cached) => void hits.push(cached),
        finished: (key, atMs) => void (key === 1 && engine.submit(second, atMs)),
      })
    expect(hits).toEqual([0, 80])
  })

  it('refuses numbers that no engine takes', () => {
    const request = { key: 1, promptRuns: [], promptTokens: 64, outputTokens: 4 }
    expect(() => createVirtualEngine({ slowness: 0 })).toThrow(/slowness/)
    expect(() => createVirtualEngine().setSlowness(Number.NaN, 0)).toThrow(/slowness/)
    expect(() => createVirtualEngine().submit({ ...request, promptTokens: 1.5 }, 0)).toThrow(/at least 1 token, not 1.5/)
    expect(() => createVirtualEngine().submit({ ...request, outputTokens: -1 }, 0)).toThrow(/0 tokens or more/)
  })
})
