import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chainBlocks } from './chain-blocks.js'
import { createEngineModel, type EngineModel } from './engine-model.js'
import type { SequenceView } from './sequence.js'

const totalBlocks = 24

type Action =
  | { readonly kind: 'submit'; readonly promptTokens: number; readonly outputTokens: number; readonly family: number }
  | { readonly kind: 'cancel'; readonly pick: number }
  | { readonly kind: 'step' }

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      promptTokens: fc.integer({ min: 1, max: 300 }),
      outputTokens: fc.integer({ min: 0, max: 84 }),
      family: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat() }) },
  { weight: 8, arbitrary: fc.constant({ kind: 'step' as const }) },
)

/** Runs a script; a cancel may fall between the start and the end of a step. */
function play(actions: readonly Action[], check: (model: EngineModel) => void) {
  const model = createEngineModel({ preset: '3b-a10g', kvTokens: totalBlocks * 16, maxNumSeqs: 5, maxNumBatchedTokens: 64 })
  const views: SequenceView[] = []
  const order: string[] = []
  const durations: number[] = []
  const finish = () => {
    for (const view of model.finishStep().tokens) if (view.producedTokens === 1) order.push(view.id)
  }
  const act: { [K in Action['kind']]: (action: Extract<Action, { kind: K }>) => void } = {
    submit({ promptTokens, outputTokens, family }) {
      const tokens = Array.from({ length: promptTokens + outputTokens }, (_, index) => family * 1e6 + index)
      views.push(model.submit({ id: `r${views.length}`, promptTokens, outputTokens, blockHashes: chainBlocks(tokens) }))
    },
    cancel: ({ pick }) => void (views.length > 0 && model.cancel(`r${pick % views.length}`)),
    step() {
      if (model.stepping) finish()
      const durationMs = model.startStep()
      if (durationMs !== undefined) durations.push(durationMs)
    },
  }
  for (const one of actions) {
    act[one.kind](one as never)
    check(model)
  }
  if (model.stepping) finish()
  for (let steps = 0; model.startStep() !== undefined; steps++) {
    if (steps > 100_000) throw new Error('no end in sight')
    finish()
  }
  return { model, views, order, durations }
}

describe('laws of the engine model', () => {
  it('conserves blocks at every moment and holds none when idle', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const { model } = play(actions, ({ stats }) => {
          expect(stats.usedBlocks).toBeGreaterThanOrEqual(0)
          expect(stats.usedBlocks).toBeLessThanOrEqual(totalBlocks)
          expect(stats.running).toBeLessThanOrEqual(5)
          expect(stats.waiting).toBeGreaterThanOrEqual(0)
        })
        expect(model.stats).toMatchObject({ running: 0, waiting: 0, usedBlocks: 0, totalBlocks })
      }),
    )
  })

  it('finishes every request that nobody cancelled, with exactly its tokens', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        for (const view of play(actions, () => {}).views) {
          if (view.state === 'cancelled') continue
          expect(view.state).toBe('finished')
          expect(view.producedTokens).toBe(view.outputTokens)
        }
      }),
    )
  })

  it('never counts more as cached than whole blocks short of the last prompt token', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        for (const { cachedTokens, promptTokens } of play(actions, () => {}).views) {
          expect(cachedTokens % 16).toBe(0)
          expect(cachedTokens).toBeLessThanOrEqual(Math.floor((promptTokens - 1) / 16) * 16)
        }
      }),
    )
  })

  it('does the same thing twice', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const [one, two] = [play(actions, () => {}), play(actions, () => {})]
        expect(two.durations).toEqual(one.durations)
        expect(two.order).toEqual(one.order)
      }),
    )
  })

  it('chains blocks: equal prefixes give equal hashes, and a changed token changes every later one', () => {
    const token = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    fc.assert(
      fc.property(fc.array(token, { minLength: 16, maxLength: 200 }), fc.nat(), (tokens, pick) => {
        const at = pick % (tokens.length - (tokens.length % 16))
        const hashes = chainBlocks(tokens)
        const changed = chainBlocks(tokens.with(at, ((tokens[at] ?? 0) ^ 1) >>> 0))
        expect(hashes).toHaveLength(Math.floor(tokens.length / 16))
        for (const [index, hash] of hashes.entries()) expect(changed[index] === hash).toBe(index < Math.floor(at / 16))
      }),
    )
  })
})
