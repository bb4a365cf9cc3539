/** Every byte at which an answer can break off. `npm run test:long -- every-cut`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeCutting, everyCut, openCutting } from '../e2e/every-cut.js'

beforeAll(openCutting)
afterAll(closeCutting)

describe('an answer that breaks off behind any of its bytes', () => {
  it.each([
    ['chat', 'exact'],
    ['completion', 'exact'],
    ['chat', 'text'],
    ['completion', 'text'],
  ] as const)('is whole for its client, to the byte: %s, %s', async (face, pool) => {
    const { cut, again, otherUsage } = await everyCut(face, pool, 1)
    process.stdout.write(
      `  ${face}, ${pool}: ${cut} cuts, gone on with ${again} times, all whole; usage counted otherwise: ${otherUsage}\n`,
    )
    expect(again).toBeGreaterThan(cut / 3)
  })
})
