import { describe, expect, it } from 'vitest'
import type { NodeState, RosterNode } from '../contracts/index.js'
import { rosterOf } from './roster-view.js'

const node = (id: string, state: NodeState, rank?: number): RosterNode =>
  ({ id, pool: 'p', state, ...(rank === undefined ? {} : { rank }) }) as Partial<RosterNode> as RosterNode
const routable = (...nodes: readonly RosterNode[]): readonly string[] =>
  rosterOf(1, nodes, new Set())
    .routable('p')
    .map(({ id }) => id)

describe('nodes of a higher rank', () => {
  it('stand back while one of a lower rank is ready', () => {
    expect(routable(node('a', 'ready'), node('b', 'ready', 1), node('c', 'ready', 0))).toEqual(['a', 'c'])
    expect(routable(node('a', 'suspect'), node('b', 'ready', 2), node('c', 'ready', 1))).toEqual(['c'])
  })

  it('are told behind those, for requests that find no node there', () => {
    const tiers = (...nodes: readonly RosterNode[]) =>
      rosterOf(1, nodes, new Set())
        .tiers('p')
        .map((tier) => tier.map(({ id }) => id))
    expect(tiers(node('a', 'ready', 2), node('b', 'ready'), node('c', 'suspect', 1), node('d', 'ready', 2))).toEqual([['b'], ['a', 'd']])
    expect(tiers(node('a', 'suspect'), node('b', 'failed'))).toEqual([['a']])
    expect(tiers(node('b', 'failed'))).toEqual([])
  })

  it('are asked before a doubtful one of a lower rank, and together with it when all are doubtful', () => {
    expect(routable(node('a', 'suspect'), node('b', 'ready', 1))).toEqual(['b'])
    expect(routable(node('a', 'suspect'), node('b', 'warming', 1))).toEqual(['a', 'b'])
    expect(routable()).toEqual([])
  })
})
