import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RequestFacts } from '../../contracts/index.js'
import { retryPlan } from '../../topology/index.js'
import type { PoolRoute } from '../proxy-context.js'
import { chunk, delta, done, doorNames, lastChunk, plainAnswer, Rig, role, streamHead, usage } from '../scripted-gateway.test.fixture.js'
import { HedgeBook } from './hedge-book.js'

const ok = plainAnswer(200, { choices: [{ message: { content: 'hi' } }] })
const answerOf = (text: string): string => streamHead + chunk(role + delta(text) + usage + done) + lastChunk

describe.each(doorNames)('hedging, by the %s door:', (door) => {
  let rig: Rig
  /** Connections of the slow node, and how many of them lb has closed. */
  let slow: Socket[]
  let closed: number

  beforeEach(() => {
    rig = new Rig(door)
    rig.retryRules = { waitMs: 0, loadingMs: 0, hedge: { after: { ms: 30 }, most: 1 } }
    slow = []
    closed = 0
  })

  afterEach(async () => {
    await expect.poll(() => rig.settled).toBe(rig.opened)
    for (const node of rig.nodes) expect(rig.view.of(node).inFlight).toBe(0)
    await rig.close()
  })

  const slowNode = (begins = ''): Promise<void> =>
    rig.engine((socket) => {
      slow.push(socket)
      socket.on('close', () => (closed += 1))
      if (begins !== '') socket.write(begins)
    })
  const tries = () => rig.records.at(-1)?.attempts

  it.each([
    ['says nothing at all', ''],
    ['has said who speaks, but no word', streamHead + chunk(role)],
  ])('a second node answers where the first %s; the first one sees its client leave', async (_title, begins) => {
    await slowNode(begins)
    await rig.engine((socket) => void socket.write(answerOf('second')))
    await rig.open()
    const answer = await rig.ask({ stream: true })
    expect(answer.headers.get('x-lb-node')).toBe('p/n1')
    expect(await answer.text()).toBe(role + delta('second') + done)
    await expect.poll(() => closed).toBe(1)
    await expect.poll(tries).toMatchObject([
      { node: 'p/n0', outcome: 'cancelled', reason: 'another node was first', hedge: true, inVain: true },
      { node: 'p/n1', outcome: 'answered', hedge: true },
    ])
    expect(rig.records[0]).toMatchObject({ node: 'p/n1', outcome: 'ok', promptTokens: 3, completionTokens: 2, tokensMeasured: true })
    expect(rig.outcomes.map(({ node, kind }) => `${node} ${kind}`)).toEqual(['p/n1 served'])
  })

  it('the first one counts where it is faster in the end, and nothing of the second reaches the client', async () => {
    await slowNode()
    await rig.engine((socket) => {
      socket.on('close', () => (closed += 1))
      slow[0]?.write(answerOf('first'))
    })
    await rig.open()
    const answer = await rig.ask({ stream: true })
    expect([answer.headers.get('x-lb-node'), answer.headers.get('x-lb-attempts')]).toEqual(['p/n0', '1'])
    expect(await answer.text()).toBe(role + delta('first') + done)
    await expect.poll(() => closed).toBe(1)
    await expect.poll(tries).toMatchObject([
      { node: 'p/n0', outcome: 'answered', hedge: true },
      { node: 'p/n1', outcome: 'cancelled', inVain: true },
    ])
  })

  it('is done for plain requests too', async () => {
    await slowNode()
    await rig.engine((socket) => void socket.write(ok))
    await rig.open()
    expect((await rig.ask({})).headers.get('x-lb-node')).toBe('p/n1')
    await expect.poll(() => closed).toBe(1)
  })

  it('a second try that fails is no harm: the first one goes on', async () => {
    await slowNode()
    await rig.engine((socket) => {
      socket.destroy()
      setTimeout(() => slow[0]?.write(answerOf('first')), 20)
    })
    await rig.open()
    expect(await (await rig.ask({ stream: true })).text()).toContain('first')
    await expect.poll(tries).toMatchObject([{ outcome: 'answered' }, { outcome: 'reset', inVain: true }])
  })

  it('where both fail, another one is asked', async () => {
    await slowNode()
    await rig.engine((socket) => {
      slow[0]?.destroy()
      socket.destroy()
    })
    await rig.engine((socket) => void socket.write(answerOf('third')))
    await rig.open()
    expect(await (await rig.ask({ stream: true })).text()).toContain('third')
    await expect.poll(() => tries()?.map(({ outcome }) => outcome)).toEqual(['reset', 'reset', 'answered'])
  })

  it('a client that leaves closes both', async () => {
    await slowNode()
    await slowNode()
    await rig.open()
    const leaving = new AbortController()
    const asked = rig.ask({ stream: true }, {}, leaving.signal).catch(() => undefined)
    await expect.poll(() => slow).toHaveLength(2)
    leaving.abort()
    await asked
    await expect.poll(() => closed).toBe(2)
    await expect
      .poll(() => rig.records)
      .toMatchObject([{ outcome: 'client-gone', status: 499, attempts: [{ outcome: 'cancelled' }, { outcome: 'cancelled' }] }])
    expect(rig.records[0]?.attempts.some(({ reason }) => reason === 'another node was first')).toBe(false)
  })

  it('a slow client slows the engine that won', async () => {
    await slowNode()
    let sent = 0
    await rig.engine((socket) => {
      socket.write(streamHead + chunk(delta('x')))
      const pump = (): void => {
        while (sent < 100_000_000 && socket.write(chunk(delta('y'.repeat(10_000))))) sent += 10_000
        if (!socket.destroyed) socket.once('drain', pump)
      }
      pump()
    })
    await rig.open()
    const leaving = new AbortController()
    const answer = await rig.ask({ stream: true }, {}, leaving.signal)
    const reader = answer.body?.getReader()
    await reader?.read()
    let before = -1
    await expect
      .poll(() => [before, (before = sent)].every((value, _index, all) => value === all[0]), { interval: 200, timeout: 10_000 })
      .toBe(true)
    const held = sent
    expect(held).toBeLessThan(60_000_000)
    for (let bytes = 0; bytes < 30_000_000;) bytes += (await reader?.read())?.value?.byteLength ?? 30_000_000
    await expect.poll(() => sent).toBeGreaterThan(held)
    leaving.abort()
    await expect.poll(() => rig.records).toHaveLength(1)
  })

  it('waits for a node that has nothing else to wait for, and is not done where there is none', async () => {
    await slowNode()
    await slowNode()
    await rig.open()
    const leaving = new AbortController()
    const asked = [0, 1].map(() => rig.ask({ stream: true }, {}, leaving.signal).catch(() => undefined))
    await expect.poll(() => rig.requests.map((seen) => seen.length)).toEqual([2, 1])
    await new Promise((resolve) => setTimeout(resolve, 150))
    // The first request had itself hedged to the free node; the second one found none.
    expect(rig.requests.map((seen) => seen.length)).toEqual([2, 1])
    leaving.abort()
    await Promise.all(asked)
  })

  it('is done for so many requests at most', async () => {
    rig.retryRules = { ...rig.retryRules, hedge: { after: { ms: 20 }, most: 0.25 } }
    await rig.engine((socket) => void setTimeout(() => socket.write(ok), 60))
    await rig.engine((socket) => void socket.write(ok))
    await rig.open()
    for (let request = 0; request < 12; request += 1) await (await rig.ask({})).text()
    expect(rig.requests.map((seen) => seen.length)).toEqual([12, 3])
  })

  it('is off unless it is asked for', async () => {
    rig.retryRules = { waitMs: 0, loadingMs: 0 }
    await rig.engine((socket) => void setTimeout(() => socket.write(ok), 80))
    await rig.engine((socket) => void socket.write(ok))
    await rig.open()
    expect((await rig.ask({})).headers.get('x-lb-node')).toBe('p/n0')
    expect(rig.requests[1]).toHaveLength(0)
  })
})

describe('the book of first tokens', () => {
  const route = (after: string): PoolRoute =>
    ({ name: 'p', retries: retryPlan({ hedge: { after, most: '10%' } }) }) as Partial<PoolRoute> as PoolRoute
  const facts = (stream: boolean, promptTokens: number, outputTokens = 100): RequestFacts =>
    ({ stream, promptTokens, outputTokens }) as Partial<RequestFacts> as RequestFacts

  it('knows the quantile of each size, once enough were seen', () => {
    const book = new HedgeBook()
    const pool = route('95%')
    for (let ms = 1; ms < 20; ms += 1) book.learn(pool, facts(true, 1_000), ms)
    expect(book.afterMs(pool, facts(true, 1_000))).toBeUndefined()
    for (let ms = 20; ms <= 100; ms += 1) book.learn(pool, facts(true, 1_000), ms)
    expect(book.afterMs(pool, facts(true, 1_100))).toBe(95)
    expect(book.afterMs(pool, facts(true, 10_000))).toBeUndefined()
    expect(book.afterMs(pool, facts(false, 1_000))).toBeUndefined()
    expect(book.afterMs(route('2s'), facts(true, 1))).toBe(2_000)
  })

  it('saves up what it may start, and no more than ten', () => {
    const book = new HedgeBook()
    const pool = route('95%')
    for (let request = 0; request < 10; request += 1) book.arrived(pool)
    expect(book.has(pool)).toBe(true)
    book.take(pool)
    expect(book.has(pool)).toBe(false)
    for (let request = 0; request < 10_000; request += 1) book.arrived(pool)
    let saved = 0
    for (; book.has(pool); saved += 1) book.take(pool)
    expect(saved).toBe(10)
    book.retain(new Set())
    expect(book.has(pool)).toBe(false)
  })
})
