import { describe, expect, it } from 'vitest'
import type { CacheEvent } from '../contracts/index.js'
import { CacheLedger } from './cache-ledger.js'

function scene(mirror: { tokens: number; capacityTokens: number }) {
  const learned: number[] = []
  let clears = 0
  const ledger = new CacheLedger({
    mirror: () => mirror,
    clearCache: () => (clears += 1),
    learnCapacity(tokens) {
      learned.push(tokens)
      mirror.capacityTokens = tokens
    },
  })
  let last = 0
  const names = (count: number): string[] => Array.from({ length: count }, () => `b${last++}`)
  const store = (blocks: readonly string[]): void => ledger.take({ kind: 'stored', blocks, parent: null, tokenIds: [], blockTokens: 16 })
  return { ledger, learned, names, store, clears: () => clears }
}

describe('the ledger of cache events', () => {
  it('takes for the room of a cache what it held when the engine began to throw out', () => {
    const { ledger, learned, names, store } = scene({ tokens: 1_000, capacityTokens: 400_000 })
    const first = names(100)
    store(first)
    expect(ledger.tokens).toBe(1_600)
    ledger.take({ kind: 'removed', blocks: first.slice(0, 32) })
    expect(learned).toEqual([1_000])
    expect(ledger.tokens).toBe(68 * 16)
  })

  it('learns nothing from removals of blocks that it never heard of: it has not heard all', () => {
    const { ledger, learned, names, store } = scene({ tokens: 1_000, capacityTokens: 400_000 })
    store(names(100))
    for (let time = 0; time < 50; time += 1) ledger.take({ kind: 'removed', blocks: [`unknown ${time}`] })
    expect(learned).toEqual([])
  })

  it('clears what is believed when the engine clears or restarts, and not when news was lost', () => {
    const { ledger, clears, names, store } = scene({ tokens: 1_000, capacityTokens: 400_000 })
    store(names(10))
    ledger.take({ kind: 'cleared', reason: 'gap' })
    expect([clears(), ledger.tokens]).toEqual([0, 0])
    ledger.take({ kind: 'cleared', reason: 'engine' })
    ledger.take({ kind: 'cleared', reason: 'restart' })
    expect(clears()).toBe(2)
  })

  it('gives a mirror more room that is full while the engine holds more and throws nothing out', () => {
    const mirror = { tokens: 990, capacityTokens: 1_000 }
    const { learned, names, store } = scene(mirror)
    store(names(60))
    expect(learned).toEqual([])
    store(names(10))
    expect(learned).toEqual([1_050])
  })

  it('bears events that are none', () => {
    const { ledger, learned } = scene({ tokens: 0, capacityTokens: 1 })
    ledger.take({ kind: 'stored', blocks: ['a'], parent: null, tokenIds: [], blockTokens: Number.NaN })
    ledger.take({ kind: 'stored', parent: null } as unknown as CacheEvent)
    ledger.take({ kind: 'removed', blocks: 'all' } as unknown as CacheEvent)
    expect([ledger.tokens, learned]).toEqual([0, []])
  })
})
