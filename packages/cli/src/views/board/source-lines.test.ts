import { describe, expect, it } from 'vitest'
import type { PoolStatus, SourceStatus } from '@plimsoll/core'
import { glyphsFor } from './glyphs.js'
import { sourceLines } from './source-lines.js'
import { lineWidth, plainText } from './spans.js'

const source = (more: Partial<SourceStatus> = {}): SourceStatus => ({
  group: 'gpu',
  from: 'dns:m.test:8000',
  members: 3,
  updatedAtMs: 96_000,
  error: null,
  failingSinceMs: null,
  notes: [],
  ...more,
})

const drawn = (sources: readonly SourceStatus[] | undefined, width = 200): string[] =>
  sourceLines((sources === undefined ? {} : { sources }) as PoolStatus, { width, glyphs: glyphsFor({}), nowMs: 100_000 }).map((line) => {
    expect(lineWidth(line)).toBeLessThanOrEqual(width)
    return plainText(line).trim()
  })

describe('the lines of sources', () => {
  it('say who is there, and how old that is', () => {
    expect(drawn([source(), source({ members: 1, notes: ['half of it is old'] })])).toEqual([
      'gpu from dns:m.test:8000   3 members, 4 s ago',
      'gpu from dns:m.test:8000   1 member, 4 s ago   half of it is old',
    ])
  })

  it('say what is wrong, and since when', () => {
    const failing = [
      source({ error: 'SERVFAIL', failingSinceMs: 97_000 }),
      source({ members: 0, updatedAtMs: null, error: 'away', failingSinceMs: 99_000 }),
    ]
    expect(drawn(failing)).toEqual([
      'gpu from dns:m.test:8000   3 members, 4 s ago   failing for 3 s: SERVFAIL',
      'gpu from dns:m.test:8000   0 members, never answered   failing for 1 s: away',
    ])
  })

  it('are none where there is no source, and cut where they do not fit', () => {
    expect(drawn(undefined)).toEqual([])
    expect(drawn([source()], 20)).toHaveLength(1)
  })
})
