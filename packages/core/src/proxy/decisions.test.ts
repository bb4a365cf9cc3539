import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../base/index.js'
import { Sampling } from './sampling.js'
import { plainAnswer, Rig } from './scripted-gateway.test.fixture.js'

const ok = plainAnswer(200, { choices: [{ message: { content: 'hi' } }] })

let rig: Rig

beforeEach(async () => {
  rig = new Rig('listen')
  rig.trustedProxies = ['127.0.0.1']
  for (let index = 0; index < 3; index += 1) await rig.engine((socket) => void socket.write(ok), index === 1 ? { zone: 'z' } : {})
  rig.strategy = {
    pick(_facts, candidates, trace) {
      trace?.unit('ms', 'lowest')
      for (const position of candidates.keys()) trace?.cost(position, { wait: position, prefill: 10 - position })
      trace?.because('it is the last')
      return candidates.length - 1
    },
  }
  await rig.open()
})

afterEach(() => rig.close())

describe('a decision', () => {
  it('is told to a local client that asks, with costs, reason and whose turn it would have been', async () => {
    await (await rig.ask({ messages: [{ role: 'user', content: 'x'.repeat(400) }] }, { 'x-lb-trace': '1', 'x-session-id': 's' })).text()
    await (await rig.ask({}, { 'x-lb-trace': '1', 'x-lb-slo-ttft-ms': '300' })).text()
    expect(rig.decisions).toHaveLength(2)
    expect(rig.decisions[0]).toMatchObject({
      v: 1,
      attempt: 1,
      askedFor: true,
      pool: 'p',
      model: 'm',
      strategy: 'scripted',
      sessionFrom: 'x-session-id',
      sloTtftMs: null,
      unit: 'ms',
      wins: 'lowest',
      because: ['it is the last'],
      choice: 'p/n2',
      roundRobin: 'p/n0',
      leftOut: [],
    })
    expect(rig.decisions[0]?.candidates[1]).toEqual({
      node: 'p/n1',
      zone: 'z',
      inFlight: 0,
      waiting: 0,
      prefillTokens: 0,
      cachedTokens: 0,
      terms: { wait: 1, prefill: 9 },
    })
    expect(rig.decisions[1]).toMatchObject({ sessionFrom: null, sloTtftMs: 300, roundRobin: 'p/n1' })
    // The second of two equal prompts meets a cache that is believed to hold the first.
    const same = { messages: [{ role: 'user', content: 'y'.repeat(4_000) }] }
    for (let index = 0; index < 2; index += 1) await (await rig.ask(same, { 'x-lb-trace': '1' })).text()
    expect(rig.decisions[3]?.candidates[2]?.cachedTokens).toBeGreaterThan(900)
    expect(rig.decisions[3]?.candidates[0]?.cachedTokens).toBe(0)
  })

  it('is not told where nobody asked', async () => {
    await (await rig.ask({})).text()
    await (await rig.ask({}, { 'x-lb-trace': 'yes' })).text()
    expect(rig.decisions).toEqual([])
  })

  it('is not told to strangers from elsewhere, but to whoever has a key', async () => {
    const headers = { 'x-lb-trace': '1', 'x-forwarded-for': '203.0.113.9' }
    await (await rig.ask({}, headers)).text()
    expect(rig.decisions).toEqual([])
    rig.client = 'LB_API_KEY'
    await (await rig.ask({}, headers)).text()
    expect(rig.decisions).toHaveLength(1)
    expect(JSON.stringify(rig.decisions)).not.toContain('203.0.113.9')
  })

  it('tells of nodes that the roster withholds', async () => {
    const [first, second] = rig.nodes
    rig.withheld.push({ ...first!, id: 'p/d', state: 'draining' }, { ...second!, id: 'p/t', rank: 1 })
    await (await rig.ask({}, { 'x-lb-trace': '1' })).text()
    expect(rig.decisions[0]?.leftOut).toEqual([
      { node: 'p/d', filter: 'state', reason: 'is draining: it ends what it has' },
      { node: 'p/t', filter: 'tier', reason: 'is of tier 1; one of tier 0 is ready' },
    ])
  })

  it('is told unasked for the share that is set', async () => {
    rig.traceShare = 1
    await (await rig.ask({})).text()
    expect(rig.decisions).toMatchObject([{ askedFor: false }])
  })
})

describe('a sample', () => {
  it.each([0, 0.01, 0.3, 1])('is a share of %d of what passes', (share) => {
    const sampling = new Sampling(seededRandom(5))
    let taken = 0
    for (let index = 0; index < 100_000; index += 1) if (sampling.takes(share)) taken += 1
    expect(taken / 100_000).toBeCloseTo(share, 2)
  })

  it('follows a share that a reload changed', () => {
    const sampling = new Sampling(seededRandom(5))
    expect(sampling.takes(0)).toBe(false)
    expect(sampling.takes(1)).toBe(true)
    expect(sampling.takes(0)).toBe(false)
  })
})
