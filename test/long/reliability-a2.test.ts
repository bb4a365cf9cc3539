/** Row a2 of the promises: a stream with no content yet moves. Against lb, lb without retries, nginx and haproxy. `npm run test:long -- reliability-a2`. */
import { afterAll, describe, expect, it } from 'vitest'
import type { Answered } from '../reliability/client.js'
import { strike } from '../reliability/faults.js'
import { Results } from '../reliability/results.js'
import { run, type Outcome, type RunOptions } from '../reliability/run.js'
import { saysItsRoleAndDies, ScriptedEngine } from '../reliability/scripted-engine.js'
import { LbSubject, missingPeers, peers, type LbOptions } from '../reliability/subjects.js'
import { tally } from '../reliability/tally.js'

const N = 200
/** Prefill of all takes several times as long. */
const STRIKE_AT_MS = 1_000

const results = new Results({
  row: 'a2',
  title: 'a stream with no content yet moves',
  promise: `0 of ${N} streams show that a node died before their first content; a role alone is no content`,
  how: `${N} streams at once. Prefill: to 4 simulated engines that are busy with prompts for seconds, one gets kill -9 after ${STRIKE_AT_MS / 1_000} s. Role only: one of 4 engines sends the delta with the role and dies, each time.`,
})

afterAll(() => results.write())

const streams = { total: N, concurrency: N, deadlineMs: 60_000, stream: () => true } as const
const control: LbOptions = { name: 'lb without retries', pool: '    retries: { max: 0 }' }

/** Only the streams that had no content when the node died. */
interface Prefill extends Outcome {
  /** Of the others, those that were not whole in the end. */
  readonly begunAndFailed: number
}

async function killedInPrefill(subject: RunOptions['subject']): Promise<Prefill> {
  let struckAtMs = Number.POSITIVE_INFINITY
  const outcome = await run({
    ...streams,
    subject,
    engines: { flags: ['--profile', '8b-h100', '--slowness', '4'] },
    ask: { count: N, maxTokens: 24, promptWords: 700 },
    strikes(fleet) {
      const { act, at } = strike(fleet.at(1), 'kill -9', { ms: STRIKE_AT_MS })
      return [
        {
          at,
          act: async () => {
            await act()
            struckAtMs = performance.now()
          },
        },
      ]
    },
  })
  const hadContent = ({ firstContentAtMs = Number.POSITIVE_INFINITY }: Answered): boolean => firstContentAtMs < struckAtMs
  const waiting = outcome.answers.filter((answer) => !hadContent(answer))
  const begunAndFailed = outcome.answers.filter((answer) => hadContent(answer) && answer.kind !== 'whole').length
  return { ...outcome, ...tally(waiting), begunAndFailed }
}

function show(outcome: Prefill, more: { control?: true } = {}): Prefill {
  const begun = `${outcome.begunAndFailed} of ${N - outcome.n}`
  results.addRun('prefill', outcome, { ...more, figures: { 'begun before, and failed': begun } })
  return outcome
}

describe('kill -9 during prefill', () => {
  it('is seen by none of the streams without content', async () => {
    const outcome = show(await killedInPrefill(LbSubject.start()))
    expect(outcome.n).toBeGreaterThan(N / 2)
    expect(outcome).toMatchObject({ failed: 0, hung: 0, fakeDone: 0, lostCharacters: 0, doubledCharacters: 0 })
  })

  it('is seen without retries: the negative control', async () => {
    expect(show(await killedInPrefill(LbSubject.start(control)), { control: true }).failed).toBeGreaterThan(0)
  })

  it.for(peers)('and $name beside', async ({ start }) => {
    show(await killedInPrefill(start))
  })
})

async function roleOnly(subject: RunOptions['subject']): Promise<Outcome> {
  const engine = await ScriptedEngine.start(saysItsRoleAndDies)
  try {
    const outcome = await run({
      ...streams,
      subject,
      engines: { count: 3 },
      ask: { count: 50, maxTokens: 24 },
      beside: [engine],
    })
    expect(engine.calls).toBeGreaterThan(0)
    return outcome
  } finally {
    await engine.close()
  }
}

describe('a node that says its role and dies', () => {
  it('is seen by nobody', async () => {
    const outcome = results.addRun('role only', await roleOnly(LbSubject.start({ engine: 'openai' })))
    expect(outcome).toMatchObject({ n: N, failed: 0, fakeDone: 0 })
  })

  it('is seen without retries: the negative control', async () => {
    const outcome = await roleOnly(LbSubject.start({ ...control, engine: 'openai' }))
    results.addRun('role only', outcome, { control: true, figures: {} })
    expect(outcome.failed).toBeGreaterThan(0)
  })

  it.for(peers)('and $name beside', async ({ start }) => {
    results.addRun('role only', await roleOnly(start))
  })

  it.for(missingPeers)('%s is not installed here: apt-get install it to see it beside', (_name, context) => context.skip())
})
