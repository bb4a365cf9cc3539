/**
 * Row a3 of the promises: a begun stream continues or ends honestly. `npm run test:long -- reliability-a3`; LB_TEST_SCALE=0.1 makes it a tenth as long and
 * keeps no figures.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { inTurns, readStream } from '../e2e/stream-reader.js'
import { eligibleStories, otherStories, type Story } from '../e2e/stories.js'
import { countVerdicts } from '../e2e/stream-verdict.js'
import { NaiveProxy } from '../e2e/naive-proxy.js'
import { pause } from '../e2e/steady-load.js'
import { Seeded } from '../e2e/seeded.js'
import { Survival, type RequestLine, type Survived } from '../e2e/survival.js'
import type { Fleet } from '../reliability/engines.js'
import { strike } from '../reliability/faults.js'
import type { Strike } from '../reliability/load.js'
import { Results } from '../reliability/results.js'
import { run, type RunOptions } from '../reliability/run.js'
import { LbSubject } from '../reliability/subjects.js'

const scale = Number(process.env['LB_TEST_SCALE'] ?? 1)
const N = Math.max(30, Math.round(600 * scale))
const CONCURRENCY = 30
/** A probe or two, and the first requests. */
const BACK_FOR_MS = 3_500

const results = new Results({
  row: 'a3',
  title: 'a begun stream continues or ends honestly',
  promise:
    'eligible streams: all whole, no character lost or doubled; others: all end in the error event that the official client raises; 0 hangs, 0 fake [DONE]',
  how: `${N} streams, each cut off once by a proxy in front of its simulated engine: uniform over the events of its answer, between two, inside one, inside a character, politely or by reset; and whole processes killed under load. Read by the official openai client, compared with the unbroken answer.`,
})

afterAll(() => {
  if (scale === 1) results.write()
})

let survival: Survival | undefined
afterEach(async () => {
  await survival?.close()
  survival = undefined
})

const wrongs = (told: readonly Survived[]): string[] =>
  told.filter(({ verdict }) => verdict.kind === 'wrong').map(({ verdict }) => verdict.why)

interface Figures {
  readonly scenario: string
  readonly subject?: string
  readonly control?: true
  readonly failed: number
}

function note(told: readonly Survived[], { scenario, subject = 'lb', control, failed }: Figures): void {
  const counts = countVerdicts(told.map(({ verdict }) => verdict))
  results.add({
    scenario,
    subject,
    n: told.length,
    failed,
    ...(control === undefined ? {} : { control }),
    figures: {
      cuts: survival?.plan.made.length ?? 0,
      whole: counts.whole,
      'error events': counts['error-event'],
      hung: told.filter(({ seen }) => seen.hung).length,
      'fake [DONE]': told.filter(({ seen }) => seen.error !== undefined && seen.raw.includes('[DONE]')).length,
    },
  })
}

/** Requests that lb wrote down with other counts than their clients were told. */
function miscounted(told: readonly Survived[], records: ReadonlyMap<string, RequestLine>): string[] {
  return told.flatMap(({ requestId, seen, story }) => {
    const record = records.get(requestId)
    const [usage] = seen.usages
    if (record === undefined || usage === undefined || !story.isEligible) return []
    const same = record.completionTokens === usage.completion_tokens && record.promptTokens === usage.prompt_tokens
    return same
      ? []
      : [`${story.name}: ${record.promptTokens}+${record.completionTokens} instead of ${usage.prompt_tokens}+${usage.completion_tokens}`]
  })
}

describe('streams that are cut off at any byte', () => {
  it.each([
    ['text', 1],
    ['text', 2],
    ['exact', 1],
  ] as const)('are all whole where they are plain text, by %s, with %i data threads', async (grade, workers) => {
    survival = await Survival.start({ workers, pool: `    continuation: ${grade}\n` })
    const told = await survival.tell(eligibleStories(N), { random: new Seeded(workers), concurrency: CONCURRENCY })
    note(told, { scenario: `eligible, ${grade}${workers === 1 ? '' : ', 2 threads'}`, failed: wrongs(told).length })
    expect(wrongs(told)).toEqual([])
    expect(survival.plan.made.length).toBeGreaterThan(N * 0.9)
    const records = await survival.records()
    expect(miscounted(told, records)).toEqual([])
    const continued = [...records.values()].filter(({ attempts }) => attempts.some(({ continues }) => continues !== undefined))
    expect(continued.length).toBeGreaterThan(Math.min(N, 900) * 0.8)
  })

  it('are all whole where those that go on are cut off again and again', async () => {
    survival = await Survival.start({ engines: 6 })
    const told = await survival.tell(eligibleStories(Math.round(N / 3)), { random: new Seeded(7), concurrency: 20, cuts: { count: 3 } })
    note(told, { scenario: 'eligible, 3 cuts', failed: wrongs(told).length })
    expect(wrongs(told)).toEqual([])
    expect(survival.plan.made.length).toBeGreaterThan(told.length * 2)
  })

  it('all end in the error that the official client raises where they are more than plain text', async () => {
    survival = await Survival.start()
    const told = await survival.tell(otherStories(N), { random: new Seeded(3), concurrency: CONCURRENCY })
    note(told, { scenario: 'others', failed: wrongs(told).length })
    expect(wrongs(told)).toEqual([])
    expect(countVerdicts(told.map(({ verdict }) => verdict))['error-event']).toBeGreaterThan(N * 0.6)
  })

  it('are cut with continuation: off: the negative control', async () => {
    survival = await Survival.start({ pool: '    continuation: off\n' })
    const told = await survival.tell(eligibleStories(60), { random: new Seeded(4), concurrency: CONCURRENCY })
    const cut = told.filter(({ seen }) => seen.error !== undefined)
    note(told, { scenario: 'eligible', subject: 'lb, continuation: off', control: true, failed: cut.length })
    expect(cut.length).toBeGreaterThan(30)
  })

  it('hang their clients behind a proxy that only pipes: the negative control', async () => {
    survival = await Survival.start()
    const naive = await NaiveProxy.start(survival.engineUrls)
    const stories = eligibleStories(30)
    const seen = await inTurns(stories, 30, (story: Story, index) => {
      const requestId = `naive-${index}`
      survival?.plan.set(requestId, { event: 15, at: 'inside', bytes: 40, how: index % 2 === 0 ? 'end' : 'reset' })
      return readStream(naive.url, story.ask, { model: story.model, requestId, withinMs: 8_000 })
    })
    await naive.close()
    const hung = seen.filter((one) => one.hung).length
    const whole = seen.filter((one) => one.raw.includes('[DONE]')).length
    results.add({ scenario: 'eligible', subject: 'a proxy that only pipes', control: true, n: 30, failed: 30 - whole, figures: { hung } })
    expect(whole).toBeLessThan(5)
  })
})

const stream = {
  // Their natural ends: of many lengths, so that at any moment most are in their middle.
  ask: { count: 60, maxTokens: 200 },
  total: N,
  concurrency: 60,
  stream: () => true,
  engines: { count: 4, flags: ['--profile', '8b-h100', '--slowness', '3'] },
  deadlineMs: 60_000,
} as const satisfies Omit<RunOptions, 'subject'>

/** One node after another is killed and started again, for as long as requests are begun; the next one only when the one before has been back for a while. */
function killsInTurn(fleet: Fleet, total: number = N): Strike[] {
  const over = new AbortController()
  const kill = async (): Promise<void> => {
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      await fleet.at(turn % 4).kill()
      await pause(700)
      await fleet.at(turn % 4).start()
      await pause(BACK_FOR_MS)
    }
  }
  return [
    { at: { ms: 1_000 }, act: kill },
    { at: { started: total }, act: () => over.abort() },
  ]
}

/** All but one, one behind the other: what the second one took over is broken again. */
const chain = (fleet: Fleet): Strike[] => [strike(fleet.at(0), 'kill -9', { ms: 1_500 }), strike(fleet.at(1), 'kill -9', { ms: 2_200 })]

describe('begun streams under load', () => {
  it.each<[string, (fleet: Fleet) => Strike[]]>([
    ['kill -9 in turn', (fleet) => killsInTurn(fleet)],
    ['kill -9, twice', chain],
    ['SIGSTOP', (fleet) => [strike(fleet.at(1), 'SIGSTOP', { ms: 1_500 })]],
  ])('are all whole: %s', async (scenario, strikes) => {
    const outcome = results.addRun(scenario, await run({ ...stream, subject: LbSubject.start(), strikes }))
    expect(outcome.examples).toEqual([])
    expect(outcome).toMatchObject({ n: N, failed: 0, hung: 0, fakeDone: 0, lostCharacters: 0, doubledCharacters: 0 })
  })

  it('end honestly when every node is killed at once, and those that come later are served when nodes are back', async () => {
    const strikes = (fleet: Fleet): Strike[] =>
      fleet.engines.flatMap((engine) => [strike(engine, 'kill -9', { ms: 2_000 }), { at: { ms: 3_500 }, act: () => engine.start() }])
    const outcome = await run({ ...stream, subject: LbSubject.start(), strikes })
    const honest = outcome.whole + (outcome.kinds['error-event'] ?? 0) + (outcome.kinds.refused ?? 0)
    const ends = { whole: outcome.whole, 'error events': outcome.kinds['error-event'] ?? 0, refused: outcome.kinds.refused ?? 0 }
    results.add({
      scenario: 'all killed at once',
      subject: 'lb',
      n: N,
      failed: N - honest,
      figures: { ...ends, hung: outcome.hung, 'fake [DONE]': outcome.fakeDone },
    })
    expect(outcome).toMatchObject({ hung: 0, fakeDone: 0, lostCharacters: 0, doubledCharacters: 0 })
    expect(outcome.kinds.cut ?? 0).toBe(0)
    expect(outcome.kinds.broken ?? 0).toBe(0)
    expect(outcome.answers.at(-1)?.kind).toBe('whole')
  })

  it('are cut with continuation: off: the negative control', async () => {
    const subject = LbSubject.start({ name: 'lb, continuation: off', pool: '    continuation: off' })
    const total = Math.min(N, 200)
    const outcome = await run({ ...stream, total, subject, strikes: (fleet) => killsInTurn(fleet, total) })
    results.addRun('kill -9 in turn', outcome, { control: true, figures: {} })
    expect(outcome.failed).toBeGreaterThan(0)
    expect(outcome.kinds['error-event']).toBe(outcome.failed)
  })
})
