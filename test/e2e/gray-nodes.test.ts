/** Short forms; the long ones, with their negative controls, are in test/long/reliability-health.test.ts. */
import { describe, expect, it } from 'vitest'
import type { Answered } from '../reliability/client.js'
import { slowFromBirth, turnsSlow } from './health-scenes.js'

const broken = (answers: readonly Answered[]): Answered[] => answers.filter(({ kind }) => kind !== 'whole')

describe('a node whose probes are good', () => {
  it('has hardly any traffic ten seconds after it turned four times slower, and says why', async () => {
    const { answers, shareBefore, shareAfter, spells } = await turnsSlow({ warmMs: 15_000, backWithinMs: 0 })
    expect(broken(answers)).toEqual([])
    expect(shareBefore).toBeGreaterThan(0.1)
    expect(shareAfter).toBeLessThan(0.05)
    expect(new Set(spells.map(({ node }) => node))).toEqual(new Set([2]))
    expect(spells[0]?.reason).toMatch(/times slower between tokens than it used to be/)
  })

  it('is left alone where it is a slower machine from birth', async () => {
    const { spells, sent } = await slowFromBirth({ forMs: 20_000, slowness: 4 })
    expect(spells).toEqual([])
    expect(Math.min(...sent)).toBeGreaterThan(0)
  })
})
