/**
 * Rows b1 and b3 of the promises: a rolling update loses nothing, and one GPU is changed in its place. `npm run test:long -- rollout-b1`; LB_TEST_SCALE=0.1
 * makes streams a tenth as long and keeps no figures.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Results, round } from '../reliability/results.js'
import { Rehearsal, type Rehearsed, type RehearsalOptions } from '../rollouts/rehearsal.js'

const scale = Number(process.env['LB_TEST_SCALE'] ?? 1)
const CLIENTS = 200
const NODES = 4
/** 8b-h100 at a slowness of 8 takes some 70 ms for a token: a minute. */
const LONG_TOKENS = Math.max(40, Math.round(850 * scale))
const GOOD_ROLLOUTS = Math.max(2, Math.round(10 * scale))

const how = `${CLIENTS} clients without a pause before 4 simulated engines (8b-h100, 8 times slower): plain requests, streams, a tenth of them the official openai client without retries, a twentieth streams of a minute. Every answer is compared with the right one.`
const b1 = new Results({
  row: 'b1',
  title: 'a rolling update loses nothing',
  promise: '0 failed, 0 cut; capacity never under N-1; a good revision is promoted',
  how,
})
const b3 = new Results({
  row: 'b3',
  title: 'one GPU, no room for two',
  promise: 'drained, swapped in place, restored on failure; what waits is answered, the line is bounded, beyond it 503 with Retry-After',
  how: how.replace('4 simulated engines', 'one simulated engine'),
})

let rehearsal: Rehearsal | undefined
afterEach(async () => {
  await rehearsal?.close()
  rehearsal = undefined
})
afterAll(() => {
  if (scale < 1) return
  b1.write()
  b3.write()
})

async function begin(options: RehearsalOptions = {}): Promise<Rehearsal> {
  rehearsal = await Rehearsal.start({ clients: CLIENTS, nodes: NODES, longTokens: LONG_TOKENS, ...options })
  return rehearsal
}

const better = (turn: number) => ({ 'launch.args.maxNumSeqs': 200 + turn })

function figuresOf({ status, tookMs, clients, fewestReady }: Rehearsed): Record<string, string | number> {
  return {
    ended: status.phase,
    'took s': round(tookMs / 1_000),
    'fewest nodes': fewestReady,
    cut: clients.kinds.cut ?? 0,
    'lost characters': clients.lostCharacters,
    'doubled characters': clients.doubledCharacters,
    'longest answer s': round(clients.longestMs / 1_000),
    'p99 ms': round(clients.p99Ms),
  }
}

describe('b1', () => {
  it.each(['rolling', 'canary', 'blue-green'] as const)(
    '%s: nothing is lost, capacity stays',
    async (kind) => {
      const plan = { kind, holdMs: 3_000, ...(kind === 'canary' ? { steps: [0.1, 0.5, 1] } : {}), keepOldMs: 1_000 }
      const outcome = await (await begin()).run({ set: better(1), plan }, 400_000)
      const { clients, fewestReady, status } = outcome
      b1.add({ scenario: kind, subject: 'lb', n: clients.n, failed: clients.failed, figures: figuresOf(outcome) })
      expect(clients.examples).toEqual([])
      expect(clients).toMatchObject({ failed: 0, hung: 0, fakeDone: 0, lostCharacters: 0, doubledCharacters: 0 })
      expect(fewestReady).toBeGreaterThanOrEqual(NODES - 1)
      expect(status.phase, JSON.stringify(status)).toBe('promoted')
    },
    600_000,
  )

  it(`${GOOD_ROLLOUTS} good revisions one after another: none is rolled back`, async () => {
    const house = await begin({ longTokens: 60 })
    const ends: string[] = []
    let n = 0
    let failed = 0
    let fewest = NODES
    for (let turn = 0; turn < GOOD_ROLLOUTS; turn += 1) {
      const { status, clients, fewestReady } = await house.run({
        set: better(turn + 1),
        plan: { kind: 'canary', steps: [0.25, 1], holdMs: 2_000 },
      })
      ends.push(`${status.phase} ${status.reason ?? ''}`.trim())
      n += clients.n
      failed += clients.failed
      fewest = Math.min(fewest, fewestReady)
    }
    const rolledBack = ends.filter((end) => !end.startsWith('promoted'))
    const figures = { ended: `${ends.length - rolledBack.length} of ${ends.length} promoted`, 'fewest nodes': fewest }
    b1.add({ scenario: `${GOOD_ROLLOUTS} good revisions`, subject: 'lb', n, failed, figures })
    expect(rolledBack).toEqual([])
    expect(failed).toBe(0)
    expect(fewest).toBeGreaterThanOrEqual(NODES - 1)
  }, 900_000)

  it('nodes that are simply restarted all at once lose capacity: the negative control', async () => {
    const house = await begin({ longTokens: 40 })
    const outcome = await house.run({ set: better(1), plan: { kind: 'rolling', maxUnavailable: NODES, maxSurge: 0, holdMs: 500 } }, 300_000)
    const { clients, fewestReady } = outcome
    b1.add({
      scenario: 'rolling',
      subject: `lb, maxUnavailable: ${NODES}`,
      control: true,
      n: clients.n,
      failed: clients.failed,
      figures: figuresOf(outcome),
    })
    expect(fewestReady).toBeLessThan(NODES - 1)
  }, 600_000)
})

describe('b3', () => {
  const MOST_WAITING = 100
  const alone = { nodes: 1, pool: `    line: { max: ${MOST_WAITING}, longest: 60s }`, pauseMs: 100, longTokens: 60 }

  it.each([
    ['a good revision', better(1), 'promoted'],
    ['exits on load', { 'launch.args.fault': 'exit-on-load' }, 'rolled-back'],
    ['healthy but 500s', { 'launch.args.fault': 'errors:100%' }, 'rolled-back'],
  ] as const)(
    '%s',
    async (scenario, set, ends) => {
      const outcome = await (await begin(alone)).run({ set, plan: { kind: 'in-place', holdMs: 2_000 } }, 300_000)
      const { answers, clients, status, changed } = outcome
      const refused = answers.filter(({ kind, status: code }) => kind === 'refused' && code === 503)
      const lost = clients.n - clients.whole - refused.length
      const figures = {
        ...figuresOf(outcome),
        'failed at the new one': outcome.canaryFailures,
        'told to come again': refused.length,
        'line of': MOST_WAITING,
      }
      b3.add({ scenario, subject: 'lb', n: clients.n, failed: lost, figures })
      expect(status.phase, JSON.stringify(status)).toBe(ends)
      const others = answers.filter(({ kind, status: code }) => kind !== 'whole' && !(kind === 'refused' && code === 503))
      expect(others.slice(0, 5)).toEqual([])
      expect(lost).toBe(0)
      expect(refused.every(({ retryAfter }) => Number(retryAfter) > 0)).toBe(true)
      if (ends === 'rolled-back') expect(changed).toEqual([])
    },
    600_000,
  )
})
