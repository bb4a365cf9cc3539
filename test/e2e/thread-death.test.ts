import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from './house.js'
import { chat, post } from './thread-load.js'
import { NotingEngine, serveThreads, type ServeOptions, type ThreadedProcess } from './threads/threaded-process.js'

let engine: NotingEngine
let engineUrl: string
let balancer: ThreadedProcess

beforeEach(async () => {
  engine = new NotingEngine()
  engineUrl = await engine.open()
})

afterEach(async () => {
  await balancer.close()
  engine.close()
})

async function serve(options: Omit<ServeOptions, 'engineUrl'>): Promise<void> {
  balancer = await serveThreads({ engineUrl, ...options })
  await until(() => balancer.heard('listening') || balancer.heard('failed'), 20_000)
}

let asked = 0

/** A request with a text that no other has. */
function ask(kind: string, model = 'sim-8b'): { readonly text: string; readonly outcome: Promise<string> } {
  const text = `${kind} ${asked++}`
  const outcome = post(balancer.url, chat(text, 4, { model })).then(
    ({ status }) => String(status),
    (error: unknown) => String(error),
  )
  return { text, outcome }
}

/** Asks until both threads have been heard; resolves with the texts. */
async function askBoth(kind: string): Promise<ReturnType<typeof ask>[]> {
  const all: ReturnType<typeof ask>[] = []
  await until(async () => {
    const some = Array.from({ length: 8 }, () => ask(kind))
    all.push(...some)
    await until(() => some.every(({ text }) => engine.askedBy.has(text)))
    return engine.threadsOf(all.map(({ text }) => text)).size === 2
  })
  return all
}

/** Ends one thread with an answer that it cannot survive; resolves with its id. */
async function killThread(): Promise<string> {
  const died = balancer.logged('thread.died')
  const { text, outcome } = ask('die')
  await until(() => balancer.logged('thread.died') === died + 1)
  await outcome
  return engine.askedBy.get(text) ?? ''
}

describe('a data thread that dies', () => {
  it('loses what it had in flight and nothing else; its leases come back and another takes its place', async () => {
    await serve({ copies: 4 })
    expect((await balancer.status()).gateway.threads).toBe(2)
    const held = await askBoth('hold')
    const before = engine.threadsOf(held.map(({ text }) => text))
    await until(async () => (await balancer.inFlight()) === held.length)

    const knocking: ReturnType<typeof ask>[] = []
    const stop = new AbortController()
    const knock = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const one = ask('knock')
        knocking.push(one)
        await one.outcome
      }
    }
    const knockers = Array.from({ length: 8 }, knock)
    const dead = await killThread()
    const lost = held.filter(({ text }) => engine.askedBy.get(text) === dead)
    const kept = held.filter(({ text }) => engine.askedBy.get(text) !== dead)
    expect(Math.min(lost.length, kept.length)).toBeGreaterThan(0)

    await until(async () => (await balancer.status()).gateway.threads === 2)
    const isNew = (text: string): boolean => !before.has(engine.askedBy.get(text) ?? [...before][0] ?? '')
    await until(() => knocking.some(({ text }) => isNew(text)))
    stop.abort()
    await Promise.all(knockers)
    for (const { outcome } of lost) expect(await outcome).toMatch(/ECONNRESET|socket hang up|cut/)
    // Those that wait at the engine still count, those of the dead thread no longer.
    await until(async () => (await balancer.inFlight()) === kept.length)

    engine.release()
    expect(await Promise.all(kept.map(({ outcome }) => outcome))).toEqual(kept.map(() => '200'))
    await until(async () => (await balancer.inFlight()) === 0)
    const outcomes = await Promise.all(
      knocking.map(async ({ text, outcome }) => ({ thread: engine.askedBy.get(text), outcome: await outcome })),
    )
    const failed = outcomes.filter(({ outcome }) => outcome !== '200')
    process.stdout.write(`lost with the thread: ${lost.length} held, ${failed.length} of ${outcomes.length} that knocked meanwhile\n`)
    // What the engine never saw was accepted by the thread in its last moment.
    expect(failed.filter(({ thread, outcome }) => (thread ?? dead) !== dead || /ECONNREFUSED|^\d/.test(outcome))).toEqual([])
  })

  it('takes its connections with it: those who come have their places', async () => {
    const most = 20
    await serve({ copies: 4, maxConnections: most })
    const held: ReturnType<typeof ask>[] = []
    const isWaiting = async (): Promise<boolean> => (await balancer.inFlight()) === held.length
    const hold = async (count: number): Promise<void> => {
      held.push(...Array.from({ length: count }, () => ask('hold')))
      await until(isWaiting)
    }
    await hold(most - 1)
    expect(engine.threadsOf(held.map(({ text }) => text)).size).toBe(2)
    const dead = await killThread()
    await until(async () => (await balancer.status()).gateway.threads === 2)
    held.splice(0, held.length, ...held.filter(({ text }) => engine.askedBy.get(text) !== dead))
    await until(isWaiting)
    await hold(most - held.length)
    expect(await ask('one too many').outcome).toBe('503')
    engine.release()
    expect(await Promise.all(held.map(({ outcome }) => outcome))).toEqual(held.map(() => '200'))
  })

  it('is replaced as often as there are duplicates of the socket; then the balancer says that it is broken', async () => {
    await serve({ copies: 4 })
    for (let death = 1; death <= 2; death += 1) {
      await killThread()
      await until(async () => (await balancer.status()).gateway.threads === 2)
      await askBoth('after death')
      expect(balancer.heard('broken')).toBe(false)
    }
    await killThread()
    await until(() => balancer.heard('broken'))
    expect((await balancer.status()).gateway.threads).toBe(1)
    expect(await ask('the last one serves').outcome).toBe('200')
  })
})

describe('a reload', () => {
  it('reaches both threads, and those that come later', async () => {
    await serve({ copies: 4 })
    expect(await ask('too early', 'late-model').outcome).toBe('404')
    balancer.child.send('reload')
    await until(() => balancer.heard('reloaded'))
    // A thread that knows the model asks the engine; one that does not answers 404 itself.
    const bothServe = async (): Promise<void> => {
      const texts: string[] = []
      await until(async () => {
        const some = Array.from({ length: 16 }, () => ask('late', 'late-model'))
        texts.push(...some.map(({ text }) => text))
        const outcomes = await Promise.all(some.map(({ outcome }) => outcome))
        return outcomes.every((each) => each === '200') && engine.threadsOf(texts).size === 2
      })
    }
    await bothServe()
    await killThread()
    await until(async () => (await balancer.status()).gateway.threads === 2)
    await bothServe()
  })
})

describe('an engine module that loads in the main thread alone', () => {
  it.each([
    ['throw', /^LB_BAD_PLUGIN the plugin for engine `fragile` does not load in a data thread: not in a thread$/],
    ['exit', /^LB_THREAD_FAILED data thread \d does not start: it ended with code 3$/],
    ['hang', /^LB_THREAD_FAILED data thread \d does not start: it does not listen within 1500 ms$/],
    ['spin', /^LB_THREAD_FAILED data thread \d does not start: it does not listen within 1500 ms$/],
  ])('and does this in a thread: %s; listenShared says so and leaves no thread behind', async (how, expected) => {
    await serve({ copies: 4, engineModule: 'awkward-engine.ts', startWithinMs: 1_500, env: { LB_TEST_AWKWARD: how } })
    const [failure] = balancer.said.filter((each) => each.type === 'failed')
    expect(`${failure?.code} ${failure?.message}`).toMatch(expected)
    expect(failure?.threads).toBe(0)
    expect(await balancer.close()).toBe(0)
    expect(balancer.heard('broken')).toBe(false)
  })
})
