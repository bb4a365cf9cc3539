import { FakeClock, seededRandom, type RandomSource } from '../../base/index.js'
import type { AttemptRecord, RequestRecord } from '../../contracts/index.js'
import type { JudgePlan } from '../../topology/index.js'
import { settledRecord } from '../settled-record.test.fixture.js'
import { Judge } from './judge.js'
import { samplesOf } from './judge-sample.js'

/** How a revision behaves; what is left out is as `usual` has it. */
export interface Behaviour {
  readonly errorRate: number
  readonly emptyRate: number
  readonly repeatedRate: number
  readonly malformedRate: number
  readonly ttftFactor: number
  readonly tpotFactor: number
  readonly lengthFactor: number
  /** Share of a prompt that its cache holds once it is warm. */
  readonly cachedShare: number
  /** Requests until its cache is warm. */
  readonly coldRequests: number
  /** Requests until it behaves so; as usual before, but for failures, of which there are none. */
  readonly badAfter: number
}

export const usual: Behaviour = {
  errorRate: 0.01,
  emptyRate: 0.003,
  repeatedRate: 0.003,
  malformedRate: 0.01,
  ttftFactor: 1,
  tpotFactor: 1,
  lengthFactor: 1,
  cachedShare: 0.6,
  coldRequests: 0,
  badAfter: 0,
}

export const plan: JudgePlan = {
  errorRate: 0.01,
  ttftRatio: 1.5,
  tpotRatio: 1.5,
  emptyOutputs: 0.01,
  repeatedOutputs: 0.01,
  malformedOutputs: 0.01,
  lengthRatio: 1.5,
  minSamples: 50,
  falseAlarmRate: 0.003,
  metrics: [],
}

export interface SimulatedOptions {
  readonly seed: number
  readonly canary?: Partial<Behaviour>
  readonly baseline?: Partial<Behaviour>
  /** Shares of requests; each lasts for `stepRequests`. */
  readonly shares?: readonly number[]
  readonly stepRequests?: number
  /** Of the old revision, before the first of the new one. */
  readonly requestsBefore?: number
  /** Everything becomes slower and fails more by this factor until the end, on both sides. */
  readonly drift?: number
  /** From the new revision's first request on both sides fail so many times as often. */
  readonly ageing?: number
  readonly plan?: Partial<JudgePlan>
}

export interface SimulatedEnd {
  readonly isBad: boolean
  readonly reason: string | null
  /** Requests of the new revision until the judge was sure; all of them where it never was. */
  readonly canaryRequests: number
  readonly judge: Judge
}

const meanGapMs = 100

/**
 * One rollout in virtual time. Requests come by chance and end in another order than they came; first tokens take a lognormal time (deviation 0.5 of its
 * logarithm) around what the tokens in no cache ask for, lengths have a heavy tail, and the whole system is now slower, now faster.
 */
export function simulateRollout(options: SimulatedOptions): SimulatedEnd {
  const { shares = [0.05, 0.25, 0.5, 1], stepRequests = 600, requestsBefore = 300, drift = 1, ageing = 1 } = options
  const judge = new Judge({ ...plan, ...options.plan })
  const random = seededRandom(options.seed)
  const clock = new FakeClock()
  const sides = { canary: { ...usual, ...options.canary }, baseline: { ...usual, ...options.baseline } }
  const counts = { canary: 0, baseline: 0 }
  const total = requestsBefore + shares.length * stepRequests
  let judged = 0
  const arrive = (index: number): void => {
    if (index >= total || judge.isBad) return
    if (index >= requestsBefore && (index - requestsBefore) % stepRequests === 0) judge.step(clock.epochMs())
    const share = index < requestsBefore ? 0 : (shares[Math.floor((index - requestsBefore) / stepRequests)] as number)
    const side = random.next() < share ? 'canary' : 'baseline'
    const weather = (1 + 0.3 * Math.sin(index / 150)) * drift ** (index / total)
    const nth = counts[side]++
    const behaviour = nth < sides[side].badAfter ? { ...usual, errorRate: 0 } : sides[side]
    const errorRate = behaviour.errorRate * (index < requestsBefore ? 1 : ageing)
    const record = recordOf({ ...behaviour, errorRate }, { random, side, weather, nth, arrivedAtMs: clock.epochMs() })
    clock.after(record.totalMs, () => {
      if (judge.isBad) return
      for (const sample of samplesOf(record, { old: 'r1', new: 'r2' })) judge.add(sample)
      if (side === 'canary') judged += 1
    })
    clock.after(-meanGapMs * Math.log(1 - random.next()), () => arrive(index + 1))
  }
  arrive(0)
  while (clock.pending > 0) clock.advance(10_000)
  return { isBad: judge.isBad, reason: judge.report().reason, canaryRequests: judged, judge }
}

interface Circumstances {
  readonly random: RandomSource
  readonly side: 'canary' | 'baseline'
  readonly weather: number
  readonly nth: number
  readonly arrivedAtMs: number
}

function recordOf(behaviour: Behaviour, { random, side, weather, nth, arrivedAtMs }: Circumstances): RequestRecord {
  const chance = (share: number) => random.next() < share
  const promptTokens = Math.ceil(lognormal(random, 600, 1.1))
  const goesOn = chance(0.6) && nth >= behaviour.coldRequests
  const cachedTokens = goesOn ? Math.floor(promptTokens * behaviour.cachedShare * (0.6 + 0.4 * random.next())) : 0
  const failed = chance(behaviour.errorRate * weather)
  const isEmpty = !failed && chance(behaviour.emptyRate)
  const completionTokens = isEmpty ? 0 : Math.ceil(lognormal(random, 120, 1.2) * behaviour.lengthFactor)
  const ttftMs = lognormal(random, (30 + 0.12 * (promptTokens - cachedTokens)) * weather * behaviour.ttftFactor, 0.5)
  const tpotMs = lognormal(random, 20 * weather * behaviour.tpotFactor, 0.3)
  const quality = { chars: completionTokens * 4, isEmpty, isRepeating: chance(behaviour.repeatedRate) }
  const asJson = chance(0.2) ? { isMalformed: chance(behaviour.malformedRate) } : {}
  const first: AttemptRecord = {
    node: `chat/${side}`,
    startedMs: 1,
    outcome: failed ? 'refused' : 'answered',
    revision: side === 'canary' ? 'r2' : 'r1',
    ...(failed ? { status: 500 } : { quality: { ...quality, ...asJson } }),
  }
  const again: readonly AttemptRecord[] = failed ? [{ node: 'chat/baseline-1', startedMs: 2, outcome: 'answered', revision: 'r1' }] : []
  const tokens = { promptTokens, completionTokens, cachedTokens }
  const times = { arrivedAtMs, ttftMs, totalMs: ttftMs + tpotMs * completionTokens }
  return settledRecord(first, { pool: 'chat', attempts: [first, ...again], bodyBytes: promptTokens * 4, ...tokens, ...times })
}

function lognormal(random: RandomSource, median: number, deviation: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  return median * Math.exp(deviation * normal)
}

/** What many rollouts came to. */
export interface Tally {
  readonly rolledBack: number
  /** Requests of the new revision that it took, sorted; of those that were rolled back. */
  readonly needed: readonly number[]
  /** Rolled back with so many requests of the new revision or fewer. */
  readonly within: (requests: number) => number
  readonly line: string
}

/** Rollouts with seeds of their own. */
export function tallyOf(name: string, count: number, options: Omit<SimulatedOptions, 'seed'>): Tally {
  const needed: number[] = []
  const why = new Map<string, number>()
  for (let seed = 1; seed <= count; seed += 1) {
    const { isBad, reason, canaryRequests } = simulateRollout({ ...options, seed: seed * 7_919 })
    if (!isBad) continue
    needed.push(canaryRequests)
    const figure = (reason ?? '').split(':')[0] as string
    why.set(figure, (why.get(figure) ?? 0) + 1)
  }
  needed.sort((left, right) => left - right)
  const at = (share: number) => needed[Math.ceil(share * needed.length) - 1] ?? '-'
  const causes = [...why].map(([figure, times]) => `${figure} ${times}`).join(', ')
  const line = `${name.padEnd(44)} ${String(needed.length).padStart(5)} of ${count}, canary requests p50 ${at(0.5)}, p98 ${at(0.98)}, most ${at(1)}  ${causes}`
  return { rolledBack: needed.length, needed, within: (requests) => needed.filter((one) => one <= requests).length, line }
}
