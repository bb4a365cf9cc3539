import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Pin } from './pin.js'
import { PrefixMirror } from './prefix-mirror.js'
import { factsOfBlocks, nodesOf } from './prompts.test.fixture.js'

const BLOCK = 16

/** The same rules with maps and lists, slow and plain. */
class PlainMirror {
  readonly nodes = [0, 1, 2, 3].map(() => ({ used: new Map<number, number>(), computed: new Set<number>(), unused: [] as number[] }))

  constructor(private readonly capacityBlocks: number) {}

  pin(node: number, blocks: readonly number[]): void {
    const { used, unused } = this.of(node)
    for (const block of blocks) {
      used.set(block, (used.get(block) ?? 0) + 1)
      const at = unused.indexOf(block)
      if (at !== -1) unused.splice(at, 1)
    }
    this.trim(node)
  }

  compute(node: number, blocks: readonly number[]): void {
    for (const block of blocks) this.of(node).computed.add(block)
  }

  unpin(node: number, blocks: readonly number[]): void {
    const { used, unused, computed } = this.of(node)
    for (const block of blocks.toReversed()) {
      const users = (used.get(block) ?? 0) - 1
      if (users > 0) used.set(block, users)
      else {
        used.delete(block)
        if (computed.has(block)) unused.push(block)
      }
    }
    this.trim(node)
  }

  clear(node: number): void {
    this.nodes[node] = { used: new Map(), computed: new Set(), unused: [] }
  }

  match(node: number, blocks: readonly number[]): { readonly present: number; readonly promised: number } {
    const { used, unused, computed } = this.of(node)
    const count = (holds: (block: number) => boolean): number => {
      const end = blocks.findIndex((block) => !holds(block))
      return end === -1 ? blocks.length : end
    }
    const promised = count((block) => used.has(block) || unused.includes(block))
    return {
      present: Math.min(
        promised,
        count((block) => computed.has(block)),
      ),
      promised,
    }
  }

  private trim(node: number): void {
    const { used, unused, computed } = this.of(node)
    while (used.size + unused.length > this.capacityBlocks && unused.length > 0) computed.delete(unused.shift() ?? -1)
  }

  private of(node: number) {
    const held = this.nodes[node]
    if (held === undefined) throw new Error(`no node ${node}`)
    return held
  }
}

/** Prompts of three families that branch: 1, 1.2, 1.2.3 and so on, so that prefixes are shared. */
const prompt = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 6 }))
  .map(([family, turns]) => {
    let hash = family + 1
    return [hash, ...turns.map((turn) => (hash = hash * 10 + turn + 1))]
  })

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('pin' as const), node: fc.integer({ min: 0, max: 3 }), blocks: prompt }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('compute' as const, 'unpin' as const), nth: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), node: fc.integer({ min: 0, max: 3 }) }) },
)

interface Held {
  readonly pin: Pin
  readonly node: number
  readonly blocks: readonly number[]
  life: number
  state: 'sent' | 'computed' | 'gone'
}

describe('the mirror of prefix caches', () => {
  it('matches as a plain model of it does, whatever is sent, computed, ended and cleared in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.array(prompt, { minLength: 3, maxLength: 3 }), (steps, asked) => {
        const mirror = new PrefixMirror({ capacityOf: () => 10 * BLOCK })
        const plain = new PlainMirror(10)
        const held: Held[] = []
        const lives = [0, 0, 0, 0]
        for (const next of steps) {
          if (next.kind === 'pin') {
            const pin = mirror.pin(next.node, factsOfBlocks(next.blocks))
            plain.pin(next.node, next.blocks)
            held.push({ pin, node: next.node, blocks: next.blocks, life: lives[next.node] ?? 0, state: 'sent' })
          } else if (next.kind === 'clear') {
            mirror.clear(next.node)
            plain.clear(next.node)
            lives[next.node] = (lives[next.node] ?? 0) + 1
          } else {
            const one = held[next.nth % held.length]
            if (one === undefined || one.state === 'gone') continue
            const isAlive = one.life === lives[one.node]
            if (next.kind === 'compute') {
              one.state = 'computed'
              mirror.compute(one.pin, true)
              if (isAlive) plain.compute(one.node, one.blocks)
            } else {
              one.state = 'gone'
              mirror.unpin(one.pin)
              if (isAlive) plain.unpin(one.node, one.blocks)
            }
          }
          for (const blocks of asked) {
            const match = mirror.cachedTokens(factsOfBlocks(blocks), nodesOf(4))
            for (let node = 0; node < 4; node += 1) {
              const expected = plain.match(node, blocks)
              expect([match.presentTokens[node], match.promisedTokens[node]]).toEqual([BLOCK * expected.present, BLOCK * expected.promised])
            }
          }
        }
        for (const one of held) if (one.state !== 'gone') mirror.unpin(one.pin)
        for (let node = 0; node < 4; node += 1) {
          expect(mirror.tokensAt(node)).toBe(BLOCK * mirror.blocksAt(node))
          expect(mirror.tokensAt(node)).toBeLessThanOrEqual(10 * BLOCK)
          mirror.clear(node)
        }
        expect(mirror.entries).toBe(0)
      }),
    )
  })

  it('forgets the tail of a prompt before its beginning', () => {
    const mirror = new PrefixMirror({ capacityOf: () => 6 * BLOCK })
    mirror.hold(0, factsOfBlocks([1, 2, 3, 4]))
    mirror.hold(0, factsOfBlocks([9, 8, 7, 6]))
    expect(mirror.cachedTokens(factsOfBlocks([1, 2, 3, 4]), nodesOf(1)).presentTokens[0]).toBe(2 * BLOCK)
    expect(mirror.cachedTokens(factsOfBlocks([9, 8, 7, 6]), nodesOf(1)).presentTokens[0]).toBe(4 * BLOCK)
  })

  it('never says the whole prompt: one token at least is computed', () => {
    const mirror = new PrefixMirror({ capacityOf: () => 100 * BLOCK })
    const facts = factsOfBlocks([1, 2], 2 * BLOCK)
    mirror.hold(0, facts)
    expect(mirror.cachedTokens(facts, nodesOf(1)).presentTokens[0]).toBe(2 * BLOCK - 1)
    expect(mirror.pin(0, facts, facts.promptTokens).computedTokens).toBe(2 * BLOCK - 1)
  })

  it('tells nodes apart by their row, in a pool of a thousand, and finds the whole prefix of each', () => {
    const mirror = new PrefixMirror({ capacityOf: () => 1e9 })
    const blocks = Array.from({ length: 40 }, (_, at) => 1000 + at)
    for (let node = 0; node < 1000; node += 1) mirror.hold(node, factsOfBlocks(blocks.slice(0, node % 41)))
    const { presentTokens } = mirror.cachedTokens(factsOfBlocks(blocks), nodesOf(1000))
    expect([...presentTokens.subarray(0, 1000)]).toEqual(Array.from({ length: 1000 }, (_, node) => BLOCK * (node % 41)))
  })

  it('holds no more blocks than it may, takes from the fullest node, and goes on', () => {
    const mirror = new PrefixMirror({ capacityOf: () => 1e12, mostBlocks: 2048 })
    mirror.hold(1, factsOfBlocks([5, 6, 7]))
    for (let prompt = 0; prompt < 500; prompt += 1)
      mirror.hold(0, factsOfBlocks(Array.from({ length: 20 }, (_, at) => 1_000_000 + 20 * prompt + at)))
    expect(mirror.entries).toBeLessThanOrEqual(2048)
    expect(mirror.cachedTokens(factsOfBlocks([5, 6, 7]), nodesOf(2)).presentTokens[1]).toBe(3 * BLOCK)
    const last = factsOfBlocks(Array.from({ length: 20 }, (_, at) => 1_000_000 + 20 * 499 + at))
    expect(mirror.cachedTokens(last, nodesOf(2)).presentTokens[0]).toBe(20 * BLOCK)
  })

  it('starts over when rows of more nodes would take more memory than it may have', () => {
    const unread: number[][] = []
    const mirror = new PrefixMirror({
      capacityOf: () => 1e9,
      mostTableBytes: 400_000,
      onUnread: (node, tokens) => unread.push([node, tokens]),
    })
    for (let prompt = 0; prompt < 200; prompt += 1)
      mirror.hold(0, factsOfBlocks(Array.from({ length: 20 }, (_, at) => 1 + 20 * prompt + at)))
    const reading = mirror.pin(3, factsOfBlocks([1, 2]))
    mirror.compute(reading, true)
    const before = mirror.bytes
    mirror.hold(2_000, factsOfBlocks([7, 8]))
    expect(unread).toEqual([[3, 2 * BLOCK]])
    expect(mirror.unpin(reading)).toBe(0)
    expect(mirror.entries).toBe(2)
    expect(mirror.bytes).toBeLessThan(before + 1_000_000)
    const { presentTokens } = mirror.cachedTokens(factsOfBlocks([7, 8]), [{ id: 'p/n', index: 2_000, weight: 1 }])
    expect(presentTokens[0]).toBe(2 * BLOCK)
  })

  it('mirrors what fits of prompts in flight that are more than it may hold, and loses nothing when they end', () => {
    const mirror = new PrefixMirror({ capacityOf: () => 1e12, mostBlocks: 1024 })
    const pins = Array.from({ length: 4 }, (_, prompt) =>
      mirror.pin(0, factsOfBlocks(Array.from({ length: 400 }, (_unused, at) => 1 + 400 * prompt + at))),
    )
    expect(mirror.entries).toBe(1024)
    for (const pin of pins) {
      mirror.compute(pin, true)
      mirror.unpin(pin)
    }
    expect(mirror.clear(0)).toBe(0)
    expect(mirror.entries).toBe(0)
  })
})
