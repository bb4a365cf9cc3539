import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/index.js'
import type { ScalePlan } from '../../topology/index.js'
import { flapsOf, NODE_BEARS, ObedientFleet, plan, quiet } from './looks.test.fixture.js'
import type { ScaleFacts } from './scale-facts.js'
import { ScaleMemory } from './scale-memory.js'
import { wantedReplicas } from './wanted-replicas.js'

const MINUTE = 60
const HOUR = 3_600

describe('the number of replicas that the load wants', () => {
  it('never leaves its bounds and always has a reason, whatever it is told', () => {
    const random = seededRandom(1)
    const odds: string[] = []
    const upTo = (most: number): number => Math.floor(random.next() * (most + 1))
    for (let round = 0; round < 300; round++) {
      const min = upTo(3)
      const odd: ScalePlan = {
        ...plan,
        min,
        max: min + 1 + upTo(6),
        target:
          [{ ttftP95Ms: 1 + upTo(5_000) }, { queueSeconds: 0.5 }, { tokensInFlight: 1 + upTo(9_000) }, { kvUsed: 0.5 }][upTo(3)] ?? {},
        upAfterMs: upTo(20_000),
        downAfterMs: upTo(60_000),
        cooldownMs: upTo(20_000),
        idleMs: 1_000 + upTo(60_000),
      }
      const memory = new ScaleMemory()
      let [nowMs, replicas] = [0, odd.min]
      for (let look = 0; look < 60; look++) {
        nowMs += upTo(4_000)
        const ready = upTo(replicas)
        const facts: ScaleFacts = {
          ...quiet,
          replicas,
          ready,
          others: upTo(2),
          arrivals: upTo(500),
          workTokens: upTo(1e6),
          answers: Array.from({ length: upTo(20) }, () => ({
            arrivedAtMs: nowMs - upTo(60_000),
            ttftMs: upTo(60_000),
            computedTokens: upTo(9_000),
          })),
          waiting: upTo(1_000),
          queuedTokens: upTo(1e7),
          open: upTo(1_000),
          tokensInFlight: upTo(1e7),
          ...(upTo(1) === 0 ? {} : { kvUsed: random.next() }),
          triggers: upTo(3) === 0 ? [{ name: 'jobs', value: upTo(1e4), perReplica: 1 + upTo(100), isMean: false }] : [],
          floor: upTo(3) === 0 ? upTo(20) : 0,
          scheduled: upTo(3) === 0 ? upTo(20) : 0,
        }
        const { wanted, reason } = wantedReplicas(facts, odd, memory, nowMs)
        const isGood = Number.isInteger(wanted) && wanted >= odd.min && wanted <= Math.max(odd.max, replicas)
        if (!isGood || !/^(?!.*(NaN|undefined|Infinity)).+$/.test(reason)) odds.push(`${wanted} of ${odd.min} to ${odd.max}: ${reason}`)
        replicas = wanted
      }
    }
    expect(odds).toEqual([])
  })

  it('wants no fewer for more load', () => {
    let before = 0
    for (const perSecond of [2, 8, 15, 25, 40, 60, 80]) {
      const fleet = new ObedientFleet(1, plan)
      fleet.run(HOUR, () => perSecond)
      expect(fleet.replicas, `${perSecond} requests a second`).toBeGreaterThanOrEqual(before)
      expect(fleet.replicas * NODE_BEARS).toBeGreaterThanOrEqual(perSecond)
      before = fleet.replicas
    }
  })

  it('stays at one number under a steady load, once it knows what a node bears', () => {
    for (const perSecond of [3, 17, 33]) {
      const fleet = new ObedientFleet(1, plan)
      const random = seededRandom(perSecond)
      fleet.run(HOUR, () => perSecond)
      const known = fleet.changes.length
      // As chance would have it: about as many, more in one second and fewer in the next.
      fleet.run(3 * HOUR, () => Math.floor(perSecond * (0.6 + 0.8 * random.next()) + 0.5))
      expect(flapsOf(fleet.changes.slice(known)), `${perSecond} requests a second`).toBeLessThanOrEqual(1)
    }
  })

  it('has nodes for a jump within half a minute of what a node takes to start, and takes them away only minutes after it is over', () => {
    const fleet = new ObedientFleet(2, plan)
    fleet.run(30 * MINUTE, () => 12)
    fleet.run(3 * MINUTE, () => 45)
    expect(fleet.ready * NODE_BEARS).toBeGreaterThanOrEqual(45)
    fleet.run(10 * MINUTE, () => 45)
    const most = fleet.replicas
    fleet.run(4 * MINUTE, () => 12)
    expect(fleet.replicas).toBe(most)
    fleet.run(10 * MINUTE, () => 12)
    expect(fleet.replicas).toBeLessThan(most)
  })

  it('keeps nearly all requests of a slow tide within the objective, for little more than the least that would do', () => {
    const tide = (atS: number): number => 25 + 20 * Math.sin((2 * Math.PI * atS) / (4 * HOUR))
    const fleet = new ObedientFleet(4, plan)
    fleet.run(4 * HOUR, tide)
    const learned = fleet.nodeSeconds
    const slow = fleet.run(8 * HOUR, tide)
    expect(slow).toBeLessThan(0.05)
    let least = 0
    for (let atS = 0; atS < 8 * HOUR; atS++) least += Math.ceil(tide(atS) / NODE_BEARS)
    expect((fleet.nodeSeconds - learned) / least).toBeLessThan(1.35)
  })

  it('rests after so long without requests where it may, and wakes for the first one', () => {
    const fleet = new ObedientFleet(1, { ...plan, min: 0 })
    fleet.run(10 * MINUTE, () => 5)
    fleet.run(9 * MINUTE, () => 0)
    expect(fleet.replicas).toBe(1)
    fleet.run(2 * MINUTE, () => 0)
    expect(fleet.replicas).toBe(0)
    expect(fleet.reasons.at(-1)).toBe('no requests come')
    fleet.run(1, () => 1)
    expect(fleet.replicas).toBe(1)
  })

  it('has one node for what comes now and then, before anything is known of what a node bears, and rests after the last of it', () => {
    const fleet = new ObedientFleet(3, { ...plan, min: 0 })
    fleet.run(20 * MINUTE, (atS) => (atS % 120 === 0 ? 1 : 0))
    expect(fleet.replicas).toBe(1)
    fleet.run(15 * MINUTE, () => 0)
    expect(fleet.replicas).toBe(0)
  })

  it('is woken by a trigger where no requests come', () => {
    const jobs = { name: 'jobs', value: 0, perReplica: 10, isMean: false }
    const fleet = new ObedientFleet(0, { ...plan, min: 0 }, { triggers: [jobs] })
    fleet.run(MINUTE, () => 0)
    expect(fleet.replicas).toBe(0)
    jobs.value = 5
    fleet.run(MINUTE, () => 0)
    expect(fleet.replicas).toBe(1)
  })

  it('keeps to floors of people and of the clock, and says so', () => {
    for (const [told, reason] of [
      [{ floor: 3 }, /at least 3, as asked/],
      [{ scheduled: 3 }, /at least 3 at this time of day/],
    ] as const) {
      const fleet = new ObedientFleet(1, plan, told)
      fleet.run(2, () => 1)
      expect(fleet.replicas).toBe(3)
      expect(fleet.reasons[0]).toMatch(reason)
    }
  })

  it('follows tokens in flight and triggers by what one node bears', () => {
    const tokens = new ObedientFleet(1, { ...plan, target: { tokensInFlight: 1_000 } }, { tokensInFlight: 4_500 })
    tokens.run(MINUTE, () => 1)
    expect(tokens.replicas).toBe(5)
    expect(tokens.reasons.at(-1)).toMatch(/tokens in flight, 1000 for each node/)
    const jobs = new ObedientFleet(1, plan, { triggers: [{ name: 'jobs', value: 70, perReplica: 10, isMean: false }] })
    jobs.run(MINUTE, () => 1)
    expect(jobs.replicas).toBe(7)
    expect(jobs.reasons.at(-1)).toMatch(/jobs says 70, 10 for each node/)
  })

  it('wants no more than the most and than there is room for, and says what it would want', () => {
    const full = new ObedientFleet(1, { ...plan, max: 3 })
    full.run(20 * MINUTE, () => 60)
    expect(full.replicas).toBe(3)
    expect(full.reasons.at(-1)).toMatch(/would be wanted, and 3 is the most/)
    const tight = new ObedientFleet(1, plan, { room: { replicas: 2, why: 'there is room for 2: all GPUs are taken' } })
    tight.run(20 * MINUTE, () => 60)
    expect(tight.replicas).toBe(2)
    expect(tight.reasons.at(-1)).toMatch(/would be wanted, and there is room for 2: all GPUs are taken/)
  })

  it('counts other nodes of the pool as bearers', () => {
    const alone = new ObedientFleet(1, plan)
    alone.run(HOUR, () => 35)
    const helped = new ObedientFleet(1, plan, { others: 2 })
    helped.run(HOUR, () => 35)
    expect(helped.replicas).toBeLessThan(alone.replicas)
  })

  it('learns while the number is held, so that it is right when it is let go', () => {
    const told: { held?: string } = {}
    const fleet = new ObedientFleet(1, plan, told)
    fleet.run(HOUR, () => 35)
    const before = fleet.replicas
    const changes = fleet.changes.length
    told.held = 'rollout chat-1 runs'
    fleet.run(20 * MINUTE, () => 35)
    expect(fleet.reasons.at(-1)).toBe('stays as it is: rollout chat-1 runs')
    delete told.held
    fleet.run(10 * MINUTE, () => 35)
    expect([fleet.replicas, fleet.changes.length]).toEqual([before, changes])
  })

  it('takes what came in a long gap between two looks for what it is: no burst', () => {
    const memory = new ScaleMemory()
    for (let second = 1; second <= 60; second++) memory.learn({ ...quiet, arrivals: 10 }, plan, second * 1_000)
    memory.learn({ ...quiet, arrivals: 3_000 }, plan, 360_000)
    expect(memory.demand.requestsPerSecond).toBeCloseTo(10, 0)
  })

  it('leaves to the other nodes of the pool their part of the tokens', () => {
    const told = { tokensInFlight: 4_500, others: 2 }
    const fleet = new ObedientFleet(1, { ...plan, target: { tokensInFlight: 1_000 } }, told)
    fleet.run(MINUTE, () => 1)
    expect(fleet.replicas).toBe(3)
  })
})
