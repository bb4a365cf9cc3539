import { describe, expect, it } from 'vitest'
import type { RosterNode, WarmUpOrder } from '../contracts/index.js'
import { rosterOf } from '../nodes/index.js'
import { seatWarmer } from './seat-warmer.js'

const view = (id: string, state: RosterNode['state'], pool = 'p') => ({ id, pool, state }) as RosterNode

/** Whether a new node of the pool `p` is warmed. */
function isWarmed(inLine: number, ...others: RosterNode[]): boolean {
  const asked: WarmUpOrder[] = []
  const warmer = seatWarmer({
    warmer: () => ({ warm: (order) => void asked.push(order) }),
    rosters: () => ({ current: () => rosterOf(1, [view('p/new', 'loading'), ...others], new Set()) }),
    standing: () => ({ inLine: new Map(inLine === 0 ? [] : [['p', inLine]]), budgets: new Map() }),
  })
  expect(warmer.warm({ node: view('p/new', 'loading') } as WarmUpOrder)).toBeUndefined()
  return asked.length === 1
}

describe('a new node', () => {
  it('is not warmed while requests stand in line and no other node of its pool is ready', () => {
    expect(isWarmed(1)).toBe(false)
    expect(isWarmed(1, view('p/down', 'failed'), view('p/doubted', 'suspect'), view('q/other', 'ready', 'q'))).toBe(false)
  })

  it('is warmed where another node serves, or nobody waits', () => {
    expect(isWarmed(1, view('p/other', 'ready'))).toBe(true)
    expect(isWarmed(0)).toBe(true)
  })
})
