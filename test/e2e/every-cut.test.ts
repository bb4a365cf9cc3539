/** In short; every single byte in test/long. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeCutting, everyCut, openCutting } from './every-cut.js'

beforeAll(openCutting)
afterAll(closeCutting)

describe('an answer that breaks off behind any of its bytes', () => {
  it.each([
    ['chat', 'exact', 53],
    ['completion', 'exact', 127],
    ['chat', 'text', 53],
    ['completion', 'text', 127],
  ] as const)('is whole for its client, to the byte: %s, %s', async (face, pool, step) => {
    const { cut, again } = await everyCut(face, pool, step)
    expect(again).toBeGreaterThan(cut / 3)
  })
})
