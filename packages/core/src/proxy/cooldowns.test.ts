import { describe, expect, it } from 'vitest'
import type { RosterNode } from '../contracts/index.js'
import { Cooldowns } from './cooldowns.js'

const node = { id: 'p/a', connectionKey: 'p/a#1' } as RosterNode

describe('a node that asked for a pause', () => {
  it('is left alone so long, at most a minute, and a second where it does not say', () => {
    const cooldowns = new Cooldowns()
    cooldowns.begin(node, 30_000, 0)
    expect([cooldowns.leftMs(node, 10_000), cooldowns.hasRoom(node, 29_999), cooldowns.hasRoom(node, 30_000)]).toEqual([
      20_000,
      false,
      true,
    ])
    cooldowns.begin(node, 3_600_000, 30_000)
    expect(cooldowns.leftMs(node, 30_000)).toBe(60_000)
    const other = new Cooldowns()
    other.begin(node, undefined, 0)
    expect(other.leftMs(node, 0)).toBe(1_000)
  })

  it('keeps its pause when answers to what was sent before come later and ask for less', () => {
    const cooldowns = new Cooldowns()
    cooldowns.begin(node, 30_000, 0)
    cooldowns.begin(node, 1_000, 10)
    expect(cooldowns.leftMs(node, 10)).toBe(29_990)
  })

  it('is tried out by one request, then by two, by four, and forgotten when it takes them all', () => {
    let news = 0
    const cooldowns = new Cooldowns(() => (news += 1))
    cooldowns.begin(node, 1_000, 0)
    const atOnce = (): number => {
      let count = 0
      while (!cooldowns.isEmpty && count < 100 && cooldowns.hasRoom(node, 2_000)) {
        const tryOut = cooldowns.tryOut(node)
        tries.push(tryOut)
        count += 1
      }
      return count
    }
    const tries: ReturnType<Cooldowns['tryOut']>[] = []
    expect(atOnce()).toBe(1)
    tries[0]?.taken()
    tries[0]?.ended()
    tries[0]?.ended()
    expect(news).toBe(2)
    expect(atOnce()).toBe(2)
    for (const each of tries.splice(0)) each?.taken()
    expect(cooldowns.isEmpty).toBe(false)
    for (let round = 0; round < 4; round += 1) {
      atOnce()
      for (const each of tries.splice(0)) each?.taken()
    }
    expect(cooldowns.isEmpty).toBe(true)
    expect(cooldowns.tryOut(node)).toBeUndefined()
  })

  it('is tried out from the beginning where it says the same again', () => {
    const cooldowns = new Cooldowns()
    cooldowns.begin(node, 1_000, 0)
    const first = cooldowns.tryOut(node)
    cooldowns.begin(node, 1_000, 1_500)
    first?.taken()
    first?.ended()
    expect([cooldowns.hasRoom(node, 2_400), cooldowns.hasRoom(node, 2_500)]).toEqual([false, true])
    cooldowns.tryOut(node)
    expect(cooldowns.hasRoom(node, 2_500)).toBe(false)
  })

  it('is forgotten with its life', () => {
    const cooldowns = new Cooldowns()
    cooldowns.begin(node, 30_000, 0)
    cooldowns.retain([node])
    expect(cooldowns.isEmpty).toBe(false)
    cooldowns.retain([{ ...node, connectionKey: 'p/a#2' }])
    expect(cooldowns.isEmpty).toBe(true)
  })
})
