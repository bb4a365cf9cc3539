import { describe, expect, it } from 'vitest'
import type { Roster, RosterNode } from '../contracts/index.js'
import { withheldNodes } from './withheld-nodes.js'

const node = (name: string, more: Partial<RosterNode>): RosterNode =>
  ({ id: `p/${name}`, pool: 'p', state: 'ready', ...more }) as RosterNode

describe('nodes that take no requests', () => {
  it('say why: taken out after failures, hanging, doubted by their probes, of a later tier', () => {
    const ready = node('a', {})
    const nodes = [
      ready,
      node('b', { state: 'suspect', ejected: 1 }),
      node('c', { state: 'suspect', ejected: 2, lost: 'no token for 30 s' }),
      node('d', { state: 'suspect' }),
      node('e', { rank: 1 }),
    ]
    const absent = (): unknown[] => [
      { id: 'p/b', reason: 'ejected for 1 s: 5 failures in a row; the last: 503 (retry)' },
      { id: 'p/c', reason: 'ejected for 2 s: no token for 30 s' },
    ]
    expect(withheldNodes({ nodes, absent } as unknown as Roster, 'p', [ready])).toEqual([
      { node: 'p/b', filter: 'state', reason: 'ejected for 1 s: 5 failures in a row; the last: 503 (retry)' },
      { node: 'p/c', filter: 'state', reason: 'ejected for 2 s: no token for 30 s' },
      { node: 'p/d', filter: 'state', reason: 'is suspected to be sick, and others are ready' },
      { node: 'p/e', filter: 'tier', reason: 'is of tier 1; one of tier 0 is ready' },
    ])
  })
})
