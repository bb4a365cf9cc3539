/** Begun streams and clients that leave, with nginx and haproxy beside. `npm run test:long -- reliability-peers`. */
import { afterAll, describe, expect, it } from 'vitest'
import { spell } from '../reliability/faults.js'
import { Results } from '../reliability/results.js'
import { run, type Outcome, type RunOptions } from '../reliability/run.js'
import { LbSubject, missingPeers, peers, startNaive } from '../reliability/subjects.js'
import { quantile } from '../reliability/tally.js'
import { stages, vanishing, type Vanishing } from '../reliability/vanishing.js'

const STREAMS = 600
const CLIENTS = 200
const MOST_CLOSE_MS = 50

const begun = new Results({
  row: 'begun',
  title: 'a begun stream goes on, and the others beside',
  promise: `0 of ${STREAMS} streams break, no character lost or doubled, none silently cut`,
  how: `${STREAMS} streams of 120 tokens, 200 at a time, to 4 simulated engines (8b-h100); kill -9 of one after 1 s and of another after 2 s. A silent cut is an end without \`[DONE]\` and without an error event.`,
})
const left = new Results({
  row: 'e',
  title: 'a disconnect cancels',
  promise: `the engine sees that its client has left within ${MOST_CLOSE_MS} ms (p99), and works for nobody a second later`,
  how: `${CLIENTS} clients, 20 at a time, leave 20 to 400 ms after their request has reached the engine (plain, or in prefill) or after the first content, every other one by a reset. The engine runs in the process of the clients: one clock.`,
})

afterAll(() => {
  begun.write()
  left.write()
})

const killedMidStream = (subject: RunOptions['subject']): Promise<Outcome> =>
  run({
    subject,
    ask: { count: 64, maxTokens: 120 },
    total: STREAMS,
    concurrency: 200,
    stream: () => true,
    deadlineMs: 60_000,
    strikes: (fleet) => [...spell(fleet.at(1), 'kill -9', 1_000, 1_600), ...spell(fleet.at(2), 'kill -9', 2_000, 2_600)],
  })

function showStreams(outcome: Outcome, more: { control?: true } = {}): Outcome {
  const silently = outcome.answers.filter(({ kind, firstContentAtMs }) => kind === 'cut' && firstContentAtMs !== undefined).length
  return begun.addRun('kill -9, twice', outcome, {
    ...more,
    figures: { 'silently cut': silently, 'lost characters': outcome.lostCharacters, 'doubled characters': outcome.doubledCharacters },
  })
}

describe('kill -9 under begun streams', () => {
  it('breaks none of 600', async () => {
    const outcome = showStreams(await killedMidStream(LbSubject.start()))
    expect(outcome.examples).toEqual([])
    expect(outcome).toMatchObject({ failed: 0, hung: 0, fakeDone: 0, lostCharacters: 0, doubledCharacters: 0 })
  })

  it('ends some in an error event without continuation, none silently: the negative control', async () => {
    const outcome = showStreams(await killedMidStream(LbSubject.start({ name: 'lb, continuation: off', pool: '    continuation: off' })), {
      control: true,
    })
    expect(outcome.kinds['error-event']).toBeGreaterThan(0)
    expect(outcome.kinds.cut ?? 0).toBe(0)
  })

  it.for(peers)('and $name beside', async ({ start }) => {
    showStreams(await killedMidStream(start))
  })
})

const leaving = (subject: RunOptions['subject']): Promise<Vanishing> => vanishing({ subject, clients: CLIENTS, concurrency: 20, seed: 1 })

/** p99 over all stages. */
function showLeavers(
  { subject, vanished, openAfterASecond }: Vanishing,
  more: { control?: true } = {},
): { p99Ms: number; openAfterASecond: number } {
  for (const stage of stages) {
    const ms = vanished.filter((one) => one.stage === stage).map(({ closedAfterMs }) => closedAfterMs)
    const shown = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : 'never')
    left.add({
      scenario: stage,
      subject,
      ...more,
      n: ms.length,
      failed: ms.filter((value) => !Number.isFinite(value)).length,
      figures: { 'p50 ms': shown(quantile(ms, 0.5)), 'p99 ms': shown(quantile(ms, 0.99)), 'open after 1 s': openAfterASecond },
    })
  }
  return {
    p99Ms: quantile(
      vanished.map(({ closedAfterMs }) => closedAfterMs),
      0.99,
    ),
    openAfterASecond,
  }
}

describe('clients that leave', () => {
  it('are gone at the engine within 50 ms', async () => {
    const { p99Ms, openAfterASecond } = showLeavers(await leaving(LbSubject.start({ engine: 'openai' })))
    expect(p99Ms).toBeLessThan(MOST_CLOSE_MS)
    expect(openAfterASecond).toBe(0)
  })

  it('stay at the engine behind a proxy that only pipes: the negative control', async () => {
    const { p99Ms, openAfterASecond } = showLeavers(await leaving(startNaive), { control: true })
    expect(p99Ms).toBeGreaterThan(MOST_CLOSE_MS)
    expect(openAfterASecond).toBeGreaterThan(0)
  })

  it.for(peers)('and behind $name', async ({ start }) => {
    showLeavers(await leaving(start))
  })

  it.for(missingPeers)('%s is not installed here: apt-get install it to see it beside', (_name, context) => context.skip())
})
