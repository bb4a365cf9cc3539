import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { Backend } from '../contracts/index.js'
import { untilEmpty } from './until-empty.js'

const dialect: Backend['dialect'] = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' }

function draining(isEmpty?: (signal: AbortSignal) => Promise<boolean>, deadlineMs = 60_000) {
  const clock = new FakeClock()
  const cut = new AbortController()
  const facts = { count: 1, done: false, asked: 0 }
  const drain = isEmpty === undefined ? {} : { drain: { isEmpty: (signal: AbortSignal) => ((facts.asked += 1), isEmpty(signal)) } }
  const backend: Backend = { probe: () => Promise.resolve({ verdict: 'ready' }), minProbeIntervalMs: 1_500, dialect, ...drain }
  const options = { clock, count: () => facts.count, backend, deadlineMs: () => deadlineMs, cut: cut.signal, timeoutMs: 2_000 }
  void untilEmpty(options).then(() => (facts.done = true))
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 20) {
      clock.advance(20)
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve()
    }
  }
  return { facts, pass, cut }
}

describe('emptying a node', () => {
  it('waits for our own requests first, then for the engine, which is asked as often as it bears', async () => {
    let empty = false
    const { facts, pass } = draining(() => Promise.resolve(empty))
    await pass(3_000)
    expect(facts).toMatchObject({ asked: 0, done: false })
    facts.count = 0
    await pass(6_000)
    expect(facts.done).toBe(false)
    expect(facts.asked).toBeGreaterThanOrEqual(3)
    expect(facts.asked).toBeLessThanOrEqual(5)
    empty = true
    await pass(2_000)
    expect(facts.done).toBe(true)
  })

  it('is over at its deadline, whatever the engine says', async () => {
    const { facts, pass } = draining(() => Promise.resolve(false), 5_000)
    facts.count = 0
    await pass(4_900)
    expect(facts.done).toBe(false)
    await pass(200)
    expect(facts.done).toBe(true)
  })

  it('does not wait for an engine that cannot be asked: one that throws, or hangs', async () => {
    const throwing = draining(() => Promise.reject(new Error('no')))
    throwing.facts.count = 0
    await throwing.pass(6_000)
    expect(throwing.facts).toMatchObject({ asked: 3, done: true })
    const hanging = draining(() => new Promise(() => undefined))
    hanging.facts.count = 0
    await hanging.pass(12_000)
    expect(hanging.facts).toMatchObject({ asked: 3, done: true })
  })

  it('asks nobody where the engine has no recipe, and ends at once when it is cut', async () => {
    const plain = draining()
    plain.facts.count = 0
    await plain.pass(40)
    expect(plain.facts.done).toBe(true)
    const cut = draining(() => new Promise(() => undefined))
    cut.facts.count = 0
    await cut.pass(100)
    cut.cut.abort()
    await cut.pass(40)
    expect(cut.facts.done).toBe(true)
  })
})
