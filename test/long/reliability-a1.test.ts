/** Row a1 of the promises: a node's death is invisible to plain requests. Against lb, lb without retries, nginx and haproxy. `npm run test:long -- reliability-a1`. */
import { afterAll, describe, expect, it } from 'vitest'
import { faultNames, mixed, strike, type FaultName } from '../reliability/faults.js'
import { Results } from '../reliability/results.js'
import { run, type Outcome, type RunOptions } from '../reliability/run.js'
import { LbSubject, missingPeers, peers, type Start } from '../reliability/subjects.js'

const N = 3_000
const CONCURRENCY = 200
const STRIKE_AT_MS = 1_500
const MOST_RECOVERY_MS = 12_000

const results = new Results({
  row: 'a1',
  title: "a node's death is invisible to plain requests",
  promise: `0 of ${N} fail; retries within their budget; requests on a hung node move, p99 within ${MOST_RECOVERY_MS / 1_000} s`,
  how: `${N} plain requests, ${CONCURRENCY} at a time, to 4 simulated engines (8b-h100); the fault strikes one of them after ${STRIKE_AT_MS / 1_000} s. Every answer is compared with the right one.`,
})

afterAll(() => results.write())

const single = (fault: FaultName): Omit<RunOptions, 'subject'> => ({
  ask: { count: 64, maxTokens: 40 },
  total: N,
  concurrency: CONCURRENCY,
  deadlineMs: 30_000,
  strikes: (fleet) => [strike(fleet.at(1), fault, { ms: STRIKE_AT_MS })],
})

const inTurn: Omit<RunOptions, 'subject'> = {
  ask: { count: 64, maxTokens: 120 },
  total: N,
  concurrency: CONCURRENCY,
  deadlineMs: 30_000,
  strikes: mixed,
}

/** By default: a share of the requests, and so many besides in ten seconds. */
const BUDGET = { share: 0.2, floor: 50 }

/** Each try that brings an answer forgives one that was in vain: as many again may be made where all are answered in the end. */
const budgetOf = ({ tookMs }: Outcome): number => 2 * (N * BUDGET.share + BUDGET.floor * Math.ceil(tookMs / 10_000))

/** Faults after which requests wait for a node that will not answer. */
const hangs: ReadonlySet<string> = new Set(['SIGSTOP', 'stall, /health ok', 'mixed'])

const weak: Start = LbSubject.start({ name: 'lb without retries', pool: '    retries: { max: 0 }' })

function promised(outcome: Outcome): void {
  expect(outcome.examples).toEqual([])
  expect(outcome).toMatchObject({ n: N, failed: 0, hung: 0, fakeDone: 0, lostCharacters: 0, doubledCharacters: 0 })
}

describe.each([...faultNames, 'mixed' as const])('%s under 200 concurrent plain requests', (fault) => {
  const options = fault === 'mixed' ? inTurn : single(fault)

  it('fails none of 3,000', async () => {
    const outcome = results.addRun(fault, await run({ ...options, subject: LbSubject.start() }))
    promised(outcome)
    expect(outcome.retries).toBeLessThanOrEqual(budgetOf(outcome))
    if (hangs.has(fault)) expect(outcome.movedP99Ms).toBeLessThan(MOST_RECOVERY_MS)
  })

  it('fails some without retries: the negative control', async () => {
    const outcome = await run({ ...options, subject: weak })
    results.addRun(fault, outcome, { control: true, figures: {} })
    expect(outcome.failed).toBeGreaterThan(0)
  })

  it.runIf(fault === 'stall, /health ok')('leaves some waiting where nobody watches for hung nodes: the negative control', async () => {
    const subject = LbSubject.start({ name: 'lb, health.hung: off', pool: '    health: { hung: off }' })
    const outcome = await run({ ...options, subject })
    results.addRun(fault, outcome, { control: true, figures: {} })
    expect(outcome.hung).toBeGreaterThan(0)
  })

  it.for(peers)('and $name beside', async ({ start }) => {
    results.addRun(fault, await run({ ...options, subject: start }))
  })

  it.for(missingPeers)('%s is not installed here: apt-get install it to see it beside', (_name, context) => context.skip())
})
