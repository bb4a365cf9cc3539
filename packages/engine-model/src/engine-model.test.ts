import { describe, expect, it } from 'vitest'
import { chainBlocks } from './chain-blocks.js'
import { createEngineModel, type EngineModel } from './engine-model.js'
import type { EngineModelOptions } from './engine-options.js'

const tokens = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index)
const request = (id: string, promptTokens: number, outputTokens: number, from = 0) => ({
  id,
  promptTokens,
  outputTokens,
  blockHashes: chainBlocks(tokens(promptTokens + outputTokens, from)),
})
const small = (options: EngineModelOptions = {}) => createEngineModel({ preset: '8b-a100', kvTokens: 16 * 16, ...options })

function step(model: EngineModel) {
  const durationMs = model.startStep()
  if (durationMs === undefined) throw new Error('idle')
  return { durationMs, ...model.finishStep() }
}

function drain(model: EngineModel): number {
  let steps = 0
  for (; model.startStep() !== undefined; steps++) model.finishStep()
  return steps
}

describe('the engine model', () => {
  it('prices a prefill and a decode by the five terms', () => {
    const model = createEngineModel({ preset: '8b-a100', slowness: 2 })
    model.submit(request('a', 1000, 3))
    expect(step(model).durationMs).toBeCloseTo(2 * (10.5 + 0.068 * 1000 + 2.9e-6 * 1000 * 500), 9)
    expect(step(model).durationMs).toBeCloseTo(2 * (10.5 + 0.03 + 8.2e-5 * 1000), 9)
  })

  it('gives the first token at the end of the last prefill chunk, then one a step', () => {
    const model = createEngineModel({ maxNumBatchedTokens: 512 })
    const view = model.submit(request('a', 1200, 2))
    expect(step(model).tokens).toEqual([])
    expect(step(model).tokens).toEqual([])
    expect(step(model).tokens).toEqual([view])
    expect(view.producedTokens).toBe(1)
    expect(step(model).finished).toEqual([view])
    expect(model.startStep()).toBeUndefined()
    expect(model.stats).toMatchObject({ running: 0, waiting: 0, usedBlocks: 0 })
  })

  it('serves decodes before prefill out of one budget', () => {
    const model = createEngineModel({ maxNumBatchedTokens: 100 })
    const decoding = model.submit(request('a', 50, 10))
    step(model)
    const prefilling = model.submit(request('b', 198, 1, 1e6))
    expect(step(model).tokens).toEqual([decoding])
    expect(step(model).tokens).toEqual([decoding, prefilling])
  })

  it('keeps the order of arrival and the limit of sequences', () => {
    const model = createEngineModel({ maxNumSeqs: 2 })
    for (const id of ['a', 'b', 'c']) model.submit(request(id, 20, 3, id.charCodeAt(0) * 1e6))
    const first = step(model)
    expect(first.tokens.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(model.stats).toMatchObject({ running: 2, waiting: 1 })
  })

  it('hits whole blocks of an earlier prompt and answer, never the last token', () => {
    const model = createEngineModel()
    model.submit(request('a', 64, 32))
    drain(model)
    // The last answer token's KV was never computed: 95 tokens are 5 whole blocks.
    const longer = model.submit(request('b', 200, 1))
    drain(model)
    expect(longer.cachedTokens).toBe(80)
    const same = model.submit(request('c', 64, 1))
    drain(model)
    expect(same.cachedTokens).toBe(48)
    expect(model.stats).toMatchObject({ prefixQueryTokens: 64 + 200 + 64, prefixHitTokens: 128 })
  })

  it('evicts the tail of what was used longest ago', () => {
    const model = small()
    model.submit(request('a', 128, 1))
    drain(model)
    model.submit(request('b', 160, 1, 1e6))
    drain(model)
    const again = model.submit(request('a', 129, 1))
    drain(model)
    expect(again.cachedTokens).toBeGreaterThan(0)
    expect(again.cachedTokens).toBeLessThan(128)
  })

  it('preempts the last one when blocks run out and computes it anew, with hits on its own blocks', () => {
    const model = small({ maxNumBatchedTokens: 512 })
    const first = model.submit(request('a', 110, 60))
    const last = model.submit(request('b', 110, 60, 1e6))
    drain(model)
    expect([first.state, last.state]).toEqual(['finished', 'finished'])
    expect(first.preemptions).toBe(0)
    expect(last.preemptions).toBeGreaterThan(0)
    expect(last.producedTokens).toBe(60)
    expect(model.stats.preemptions).toBe(last.preemptions)
    expect(model.stats.usedBlocks).toBe(0)
  })

  it('frees the slot of a cancelled request at once, in mid-step and in the queue', () => {
    const model = createEngineModel({ maxNumSeqs: 1 })
    model.submit(request('a', 20, 5))
    const queued = model.submit(request('b', 20, 5))
    model.startStep()
    expect(model.cancel('a')).toBe(true)
    expect(model.cancel('b')).toBe(true)
    expect(model.stats).toMatchObject({ running: 0, waiting: 0, usedBlocks: 0 })
    expect(model.finishStep().tokens).toEqual([])
    expect(queued.state).toBe('cancelled')
    expect(model.cancel('a')).toBe(false)
    const next = model.submit(request('c', 20, 1))
    drain(model)
    expect(next.state).toBe('finished')
  })

  it('ends an embedding with its prefill', () => {
    const model = createEngineModel()
    const view = model.submit(request('a', 40, 0))
    expect(step(model)).toMatchObject({ tokens: [], finished: [view] })
  })

  it('refuses what can never fit and a second request of the same id', () => {
    const model = small()
    expect(() => model.submit(request('a', 250, 10))).toThrow(/260 tokens do not fit into a KV cache of 256/)
    model.submit(request('a', 10, 10))
    expect(() => model.submit(request('a', 10, 10))).toThrow(/in the engine already/)
    expect(() => createEngineModel({ maxNumSeqs: 0 })).toThrow(/maxNumSeqs/)
  })

  it('slows down from the next step on', () => {
    const model = createEngineModel({ preset: 'instant' })
    model.submit(request('a', 10, 3))
    expect(step(model).durationMs).toBeCloseTo(0.02)
    model.setSlowness(4)
    expect(step(model).durationMs).toBeCloseTo(0.08)
  })
})
