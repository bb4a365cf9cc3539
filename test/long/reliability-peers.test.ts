/** Begun streams, clients that leave and requests that crash engines, with nginx and haproxy beside. `npm run test:long -- reliability-peers`. */
import { afterAll, describe, expect, it } from 'vitest'
import { spell } from '../reliability/faults.js'
import { poisonAttached, poisonLaunched, type PoisonOptions, type Poisoning } from '../reliability/poison.js'
import { Results } from '../reliability/results.js'
import { run, type Outcome, type RunOptions } from '../reliability/run.js'
import { LbSubject, missingPeers, peers, startNaive } from '../reliability/subjects.js'
import { quantile } from '../reliability/tally.js'
import { stages, vanishing, type Vanishing } from '../reliability/vanishing.js'

const STREAMS = 600
const CLIENTS = 200
const MOST_CLOSE_MS = 50
const MOST_LOST = 2
const poison: PoisonOptions = { innocents: 600, concurrency: 50, after: 200 }

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
const poisoned = new Results({
  row: 's',
  title: 'a request that crashes every engine is stopped',
  promise: `at most ${MOST_LOST} of 4 nodes are lost, which come back; the request is refused with 422; 0 innocent requests fail`,
  how: `4 simulated engines that exit with 134 on a body with a certain word; ${poison.innocents} innocent requests, ${poison.concurrency} at a time, and in their middle one client with that word, which asks up to five times, as long as it is answered with nothing or a 5xx.`,
})

afterAll(() => {
  poisoned.write()
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

function showPoison({ subject, nodesLost, statuses, innocents }: Poisoning, more: { control?: true } = {}): void {
  const kinds = Object.entries(innocents.kinds).filter(([kind]) => kind !== 'whole')
  poisoned.add({
    scenario: 'innocents',
    subject,
    ...more,
    n: innocents.n,
    failed: innocents.failed,
    figures: {
      'nodes lost, of 4': nodesLost,
      'the poisoner got': statuses.map((status) => (status === 0 ? 'nothing' : status)).join(', '),
      'what innocents saw': kinds.map(([kind, count]) => `${count} ${kind}`).join(' ') || 'nothing',
    },
  })
}

describe('a request that crashes every engine that it meets', () => {
  it('costs two nodes of four, which come back, and no innocent anything', async () => {
    const outcome = await poisonLaunched(poison)
    showPoison(outcome)
    expect(outcome.innocents.examples).toEqual([])
    expect(outcome.nodesLost).toBeLessThanOrEqual(MOST_LOST)
    expect(outcome.statuses.at(-1)).toBe(422)
  })

  it('costs one more where lb did not launch them, and cannot know how they ended', async () => {
    const outcome = await poisonAttached(LbSubject.start({ name: 'lb, attached engines' }), poison)
    showPoison(outcome)
    expect(outcome.innocents.examples).toEqual([])
    expect(outcome.nodesLost).toBeLessThanOrEqual(MOST_LOST + 1)
    expect(outcome.statuses.at(-1)).toBe(422)
  })

  it('costs all four behind a proxy that passes it on: the negative control', async () => {
    const outcome = await poisonAttached(startNaive, { ...poison, deadlineMs: 3_000 })
    showPoison(outcome, { control: true })
    expect(outcome.nodesLost).toBeGreaterThan(MOST_LOST)
  })

  it.for(peers)('and $name beside', async ({ start }) => {
    showPoison(await poisonAttached(start, poison))
  })
})
