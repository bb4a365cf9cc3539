import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { Backend, LoadFacts } from '../contracts/index.js'
import { LoadQuestion } from './load-question.js'

const dialect: Backend['dialect'] = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' }

function asking(load: (signal: AbortSignal) => Promise<LoadFacts>) {
  const clock = new FakeClock()
  const told: unknown[] = []
  const failed: string[] = []
  let asked = 0
  const counted = (signal: AbortSignal): Promise<LoadFacts> => ((asked += 1), load(signal))
  const backend: Backend = { probe: () => Promise.resolve({ verdict: 'ready' }), load: counted, minProbeIntervalMs: 1_000, dialect }
  const question = new LoadQuestion({ clock, backend, onLoad: (facts) => told.push(facts), onFailed: (why) => failed.push(why) })
  /** A good probe each 200 ms. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 200) {
      question.ask(500)
      clock.advance(200)
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve()
    }
  }
  return { question, told, failed, pass, clock, asked: () => asked }
}

describe('the question for an engine’s load', () => {
  it('is asked no more often than the engine bears', async () => {
    const { told, pass, asked } = asking(() => Promise.resolve({ running: 2 }))
    await pass(10_000)
    expect(asked()).toBe(10)
    expect(told.at(-1)).toEqual({ running: 2 })
  })

  it('hurts nothing when the plugin throws: it is told once, and asked ever less often', async () => {
    const { told, failed, pass, asked } = asking(() => {
      throw new Error('no such metric')
    })
    await pass(60_000)
    expect(failed).toEqual(['no such metric'])
    expect(told).toEqual([])
    expect(asked()).toBeLessThanOrEqual(6)
  })

  it('hurts nothing when the plugin hangs: two are never under way, and a good answer makes it forget', async () => {
    let hangs = true
    let underWay = 0
    let most = 0
    const { told, failed, pass, clock } = asking((signal) => {
      if (!hangs) return Promise.resolve({ waiting: 1 })
      most = Math.max(most, (underWay += 1))
      signal.addEventListener('abort', () => (underWay -= 1))
      return new Promise(() => undefined)
    })
    await pass(8_000)
    expect(most).toBe(1)
    expect(failed).toEqual(['no answer within 500 ms'])
    hangs = false
    await pass(60_000)
    expect(told.length).toBeGreaterThan(20)
    expect(clock.pending).toBe(0)
  })

  it('drops an answer about a life that has ended', async () => {
    let answer: (facts: LoadFacts) => void = () => undefined
    const { question, told, pass } = asking(() => new Promise((resolve) => (answer = resolve)))
    await pass(200)
    question.stop()
    answer({ running: 9 })
    await pass(2_000)
    expect(told).toEqual([])
  })
})
