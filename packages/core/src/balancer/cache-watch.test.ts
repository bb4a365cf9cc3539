import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { CacheEvent, RequestFacts } from '../contracts/index.js'
import { createBelief } from '../insight/index.js'
import { CacheWatch, type WatchedNode } from './cache-watch.js'

const facts: RequestFacts = {
  id: 'r1',
  face: 'openai-chat',
  model: 'm',
  stream: true,
  bodyBytes: 400,
  promptTokens: 100,
  outputTokens: 10,
  prefixHashes: Float64Array.of(1, 2),
  prefixTokens: (blocks) => 32 * blocks,
  session: undefined,
  client: 'c',
  sloTtftMs: undefined,
}

/** An engine whose events a test sends, one after the other. */
class TellingEngine {
  readonly signals: AbortSignal[] = []
  private waiting: ((next: CacheEvent | 'end' | 'fail') => void) | undefined
  private readonly sent: (CacheEvent | 'end' | 'fail')[] = []

  send(event: CacheEvent | 'end' | 'fail'): void {
    if (this.waiting === undefined) return void this.sent.push(event)
    this.waiting(event)
    this.waiting = undefined
  }

  async *cacheEvents(signal: AbortSignal): AsyncGenerator<CacheEvent> {
    this.signals.push(signal)
    for (;;) {
      const next = this.sent.shift() ?? (await new Promise<CacheEvent | 'end' | 'fail'>((resolve) => (this.waiting = resolve)))
      if (next === 'end') return
      if (next === 'fail') throw new Error('no publisher')
      yield next
    }
  }
}

function scene() {
  const clock = new FakeClock()
  const warnings: unknown[] = []
  const log = { info: () => undefined, warn: (_event: string, told?: object) => void warnings.push(told), error: () => undefined }
  const belief = createBelief({ clock, capacity: 2 })
  const engine = new TellingEngine()
  const node = (incarnation: number): WatchedNode => ({
    id: 'p/n',
    index: 0,
    incarnation,
    backend: { cacheEvents: (signal) => engine.cacheEvents(signal) },
  })
  const watch = new CacheWatch({ clock, log, belief })
  const lease = belief.open({ id: 'p/n', index: 0, weight: 1 }, facts)
  lease.firstToken()
  lease.settle({ outcome: 'answered' })
  const cached = (): number | undefined => belief.cachedTokens(facts, [{ id: 'p/n', index: 0, weight: 1 }]).presentTokens[0]
  return { clock, warnings, belief, engine, node, watch, cached }
}

/** Lets what is due run: promises only, no time. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

describe('the watch over cache events', () => {
  it('forgets what the engine has cleared', async () => {
    const { engine, node, watch, cached } = scene()
    watch.sync([node(1)])
    expect(cached()).toBe(64)
    engine.send({ kind: 'cleared', reason: 'engine' })
    await turns()
    expect(cached()).toBe(0)
    watch.stop()
  })

  it('asks an engine that fails again, later and later, and says why', async () => {
    const { clock, engine, node, watch, warnings } = scene()
    watch.sync([node(1)])
    engine.send('fail')
    await turns()
    expect(warnings).toEqual([{ node: 'p/n', why: 'no publisher', againInMs: 1_000 }])
    expect(engine.signals).toHaveLength(1)
    clock.advance(1_000)
    engine.send('end')
    await turns()
    expect(warnings.at(-1)).toEqual({ node: 'p/n', why: 'its events ended', againInMs: 2_000 })
    clock.advance(1_999)
    await turns()
    expect(engine.signals).toHaveLength(2)
    clock.advance(1)
    await turns()
    expect(engine.signals).toHaveLength(3)
    watch.stop()
  })

  it('listens once to each life of a node, and to none that has left', async () => {
    const { clock, engine, node, watch } = scene()
    watch.sync([node(1)])
    watch.sync([node(1)])
    expect(engine.signals.map((signal) => signal.aborted)).toEqual([false])
    watch.sync([node(2), { id: 'p/silent', index: 1, incarnation: 1, backend: {} }])
    expect(engine.signals.map((signal) => signal.aborted)).toEqual([true, false])
    watch.stop()
    expect(engine.signals.map((signal) => signal.aborted)).toEqual([true, true])
    engine.send('end')
    await turns()
    expect(clock.pending).toBe(0)
  })
})
