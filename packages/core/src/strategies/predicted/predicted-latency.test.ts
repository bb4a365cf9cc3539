import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/index.js'
import type { Candidate } from '../../contracts/index.js'
import { Life } from '../life.test.fixture.js'
import { nodesOf, recordingTrace } from '../scene.test.fixture.js'
import { SentRequests } from './sent-requests.js'

const three = nodesOf([1, 1, 1])
/** Ms for each uncached prompt token: the last node is the slow one. */
const SPEEDS = [0.1, 0.1, 0.4]

/** Serves requests of many lengths under many loads in a world where work and load decide the times; `noise` multiplies them by chance. */
function taught(name: string, requests: number, { noise = 0, settings = {} }: { noise?: number; settings?: object } = {}): Life {
  const life = new Life(name, { settings, seed: 3 })
  const random = seededRandom(11)
  teach(life, requests, { random: () => random.next(), noise })
  return life
}

function teach(life: Life, requests: number, { random, noise }: { random: () => number; noise: number }): void {
  for (let at = 0; at < requests; at += 1) {
    for (const { index } of three) life.state(index, { inFlight: Math.floor(20 * random()), prefillTokens: Math.floor(5_000 * random()) })
    const facts = { id: `r${at}`, promptTokens: 10 + Math.floor(4_000 * random()), outputTokens: 40 }
    const chosen = life.pick(three, facts)
    const { prefillTokens = 0, inFlight = 0 } = life.nodes[chosen]!
    const factor = SPEEDS[chosen]! * (1 + noise * (random() < 0.5 ? 20 * random() : 0))
    const ttftMs = 15 + factor * (facts.promptTokens + prefillTokens)
    life.serve(three[chosen]!, { ttftMs, totalMs: ttftMs + 39 * (10 + inFlight / 10), outputTokens: 40 }, facts)
  }
  for (const { index } of three) life.state(index, { inFlight: 0, prefillTokens: 0 })
}

function predicted(life: Life, facts: object, candidates: readonly Candidate[] = three): (number | undefined)[] {
  const trace = recordingTrace()
  life.pick(candidates, facts, trace)
  return trace.costs.map((terms) => terms['firstToken'])
}

describe('predicted-latency', () => {
  it('lets lmetric decide until it has seen enough', () => {
    const trace = recordingTrace()
    new Life('predicted-latency', { nodes: [{ inFlight: 3 }, { inFlight: 1 }, { inFlight: 2 }] }).pick(three, {}, trace)
    expect(trace.reasons.at(-1)).toBe('too little was seen to predict; lmetric decides')
    expect(trace.costs[0]).toHaveProperty('wait')
  })

  it('learns how quick each node is, and says how wrong it is', () => {
    const life = taught('predicted-latency', 1_500)
    const { ttftError, tpotError, isFollowed, checked } = life.strategy.report!() as Record<string, number>
    expect(ttftError).toBeLessThan(0.05)
    expect(tpotError).toBeLessThan(0.05)
    expect(isFollowed).toBe(1)
    expect(checked).toBeGreaterThan(1_000)
    const [fast, , slow] = predicted(life, { promptTokens: 2_000 })
    expect(fast).toBeCloseTo(215, -1.5)
    expect(slow! / fast!).toBeGreaterThan(3)
    expect(life.pick(three, { id: 'x', promptTokens: 2_000 })).not.toBe(2)
  })

  it('takes the slow node when work waits at the quick ones', () => {
    const life = taught('predicted-latency', 1_500)
    for (const index of [0, 1]) life.state(index, { prefillTokens: 30_000, inFlight: 4, waiting: 4 })
    expect(life.pick(three, { id: 'x', promptTokens: 1_000 })).toBe(2)
  })

  it('stops following predictions that go wrong, and follows them again when they are right', () => {
    const life = taught('predicted-latency', 600)
    const random = seededRandom(12)
    teach(life, 300, { random: () => random.next(), noise: 1 })
    expect(life.strategy.report!()['isFollowed']).toBe(0)
    const trace = recordingTrace()
    life.pick(three, {}, trace)
    expect(trace.reasons.at(-1)).toMatch(/predictions are \d+ % off; lmetric decides/)
    teach(life, 1_500, { random: () => random.next(), noise: 0 })
    expect(life.strategy.report!()['isFollowed']).toBe(1)
  })

  it('begins anew with a new process, from what all nodes taught', () => {
    const life = taught('predicted-latency', 1_500)
    const [, , before] = predicted(life, { promptTokens: 2_000 })
    const reborn = [three[0]!, three[1]!, { ...three[2]!, incarnation: 1 }]
    const [, , after] = predicted(life, { promptTokens: 2_000 }, reborn)
    expect(after).toBeLessThan(before! / 1.5)
    life.leave(three[0]!)
    expect(predicted(life, { promptTokens: 2_000 })[0]).toBe(after)
  })

  it('takes a failure that lasted longer than predicted for at least so slow', () => {
    const life = taught('predicted-latency', 1_500, { settings: { maxError: 10 } })
    const [before] = predicted(life, { promptTokens: 500 })
    for (let at = 0; at < 60; at += 1) {
      const facts = { id: `f${at}`, promptTokens: 500 }
      life.pick([three[0]!], facts)
      life.serve(three[0]!, { outcome: 'failed', totalMs: 30_000 }, facts)
    }
    expect(predicted(life, { promptTokens: 500 })[0]).toBeGreaterThan(3 * before!)
  })
})

describe('slo', () => {
  const share = { explore: 0 }

  it('packs a patient request onto a slow node, and gives a hurried one a quick node', () => {
    const life = taught('slo', 1_500, { settings: share })
    expect(life.pick(three, { id: 'a', promptTokens: 1_000, sloTtftMs: 2_000 })).toBe(2)
    expect(life.pick(three, { id: 'b', promptTokens: 1_000, sloTtftMs: 200 })).not.toBe(2)
  })

  it('takes the most headroom where told so, and the soonest where nobody keeps the objective', () => {
    const most = taught('slo', 1_500, { settings: { ...share, headroom: 'most' } })
    expect(most.pick(three, { id: 'a', promptTokens: 1_000, sloTtftMs: 2_000 })).not.toBe(2)
    const least = taught('slo', 1_500, { settings: share })
    const trace = recordingTrace()
    expect(least.pick(three, { id: 'b', promptTokens: 1_000, sloTtftMs: 5 }, trace)).not.toBe(2)
    expect(trace.reasons).toEqual(['none keeps the objective; it is predicted soonest'])
    expect(trace.costs[0]!['headroom']).toBeLessThan(0)
  })

  it('keeps a margin, uses its own objective where the request has none, and explores a small share', () => {
    const own = taught('slo', 1_500, { settings: { ...share, ttftMs: 350 } })
    const within = (sloTtftMs: number | undefined): boolean => own.pick(three, { id: 'm', promptTokens: 1_000, sloTtftMs }) === 2
    expect([within(undefined), within(900)]).toEqual([false, true])
    const curious = taught('slo', 1_500, { settings: { explore: 0.3 } })
    const [one, two, slow] = curious.shares(three, 2_000, { promptTokens: 1_000 })
    expect(slow).toBeCloseTo(0.8, 1)
    expect(Math.min(one!, two!)).toBeGreaterThan(0.05)
  })
})

describe('requests whose predictions wait', () => {
  it('are forgotten in order when they never come to be sent, and their room is used again', () => {
    const sent = new SentRequests()
    const first = sent.add('r0')
    for (let id = 1; id <= 20_000; id += 1) sent.add(`r${id}`)
    expect(sent.size).toBe(20_000)
    expect(sent.of('r0')).toBeUndefined()
    expect(sent.of('r20000')).toBe(first)
    for (let id = 1; id <= 20_000; id += 1) sent.end(`r${id}`)
    expect(sent.size).toBe(0)
  })
})
