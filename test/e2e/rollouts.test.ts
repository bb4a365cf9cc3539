/** Short forms of rows b1 to b3 of the promises; the long ones, with every fault and 200 clients, are test/long/rollout-*.test.ts. */
import { afterEach, describe, expect, it } from 'vitest'
import { Rehearsal, type Rehearsed, type RehearsalOptions, type Wish } from '../rollouts/rehearsal.js'

const MOST_SEQUENCES = 250
/** Harmless: the same answers at the same pace. */
const better = { 'launch.args.maxNumSeqs': MOST_SEQUENCES }
const worse = (fault: string) => ({ 'launch.args.fault': fault })
const canary = { kind: 'canary', steps: [0.25, 1], holdMs: 1_500 } as const

let rehearsal: Rehearsal | undefined
afterEach(async () => {
  await rehearsal?.close()
  rehearsal = undefined
})

async function begin(options: RehearsalOptions = {}): Promise<Rehearsal> {
  rehearsal = await Rehearsal.start({ clients: 40, args: 'profile: 8b-h100, slowness: 2', ...options })
  return rehearsal
}

/** What the engines that run now were told. */
async function flagsNow(flag: string): Promise<(string | undefined)[]> {
  const prints = await rehearsal?.prints()
  return [...(prints?.values() ?? [])].map(({ argv }) => (argv.includes(flag) ? argv[argv.indexOf(flag) + 1] : undefined))
}

/** Rolls out, and prints what it came to. */
async function rollOut(wish: Wish, options: RehearsalOptions = {}): Promise<Rehearsed> {
  const outcome = await (await begin(options)).run(wish)
  const { status, tookMs, canaryRequests, clients, fewestReady } = outcome
  const figures = `${(tookMs / 1_000).toFixed(1)} s, ${canaryRequests} canary requests, ${clients.failed} of ${clients.n} failed, fewest ready ${fewestReady}`
  process.stdout.write(`\n${status.kind}: ${status.phase} after ${figures}${status.reason === null ? '' : `: ${status.reason}`}\n`)
  return outcome
}

const nothingLost = { failed: 0, hung: 0, fakeDone: 0, lostCharacters: 0, doubledCharacters: 0 }

describe('a rollout under the requests of 40 clients', () => {
  it('node by node: every node is new at its end, no request fails, at most one node is missing at any moment', async () => {
    const { status, clients, fewestReady } = await rollOut({ set: better, plan: { kind: 'rolling', holdMs: 500 } })
    expect(status, JSON.stringify(status)).toMatchObject({ phase: 'promoted' })
    expect(clients.examples).toEqual([])
    expect(clients).toMatchObject(nothingLost)
    expect(fewestReady).toBeGreaterThanOrEqual(3)
    expect(await flagsNow('--max-num-seqs')).toEqual(Array.from({ length: 4 }, () => String(MOST_SEQUENCES)))
  })

  it('a canary that answers with 500 is taken back, and no client sees one', async () => {
    const { status, clients, canaryFailures, changed, samePids } = await rollOut({ set: worse('errors:100%'), plan: canary })
    expect(status, JSON.stringify(status)).toMatchObject({ phase: 'rolled-back', reason: expect.stringMatching(/error/u) })
    expect(clients.examples).toEqual([])
    expect(clients).toMatchObject(nothingLost)
    expect(canaryFailures).toBeGreaterThan(0)
    expect([changed, samePids]).toEqual([[], 4])
  })

  it('a revision whose engine ends while it loads is taken back, with the reason', async () => {
    const { status, clients, changed, canaryRequests } = await rollOut({ set: worse('exit-on-load:3'), plan: canary })
    expect(status, JSON.stringify(status)).toMatchObject({ phase: 'rolled-back', reason: expect.stringMatching(/exit|end|code 3/u) })
    expect(clients).toMatchObject(nothingLost)
    expect([changed, canaryRequests]).toEqual([[], 0])
  })

  it('outlives kill -9 of the balancer in its middle: it comes to an end, and says what it did', async () => {
    const { status, clients, killedIn, changed } = await rollOut({
      set: worse('errors:100%'),
      plan: canary,
      killWhen: ({ share }) => share > 0,
    })
    expect(killedIn).toBeDefined()
    expect(status, JSON.stringify(status)).toMatchObject({ phase: 'rolled-back' })
    expect(status.events.map(({ message }) => message).join('\n')).toMatch(/balancer|resum|took over|goes on|went on/u)
    expect(clients.examples).toEqual([])
    expect(clients).toMatchObject(nothingLost)
    expect(changed).toEqual([])
  })
})

describe('one node, and no room for two', () => {
  const alone = { nodes: 1, pool: '    line: { max: 20, longest: 30s }', pauseMs: 50 }

  it('is changed in its place: requests wait in a line that has an end, the rest is told when to come again', async () => {
    const { status, clients, answers } = await rollOut({ set: better, plan: { kind: 'in-place', holdMs: 3_000 } }, alone)
    expect(status, JSON.stringify(status)).toMatchObject({ phase: 'promoted', kind: 'in-place' })
    const refused = answers.filter(({ kind }) => kind === 'refused')
    expect(clients).toMatchObject({ hung: 0, fakeDone: 0, lostCharacters: 0, doubledCharacters: 0 })
    expect(clients.whole + refused.length, clients.examples.join('\n')).toBe(clients.n)
    expect(refused.every((answer) => answer.status === 503 && Number(answer.retryAfter) > 0)).toBe(true)
    expect(await flagsNow('--max-num-seqs')).toEqual([String(MOST_SEQUENCES)])
  })

  it('has the old revision back, byte for byte, where the new one does not load', async () => {
    const { status, answers, changed } = await (
      await begin(alone)
    ).run({ set: worse('exit-on-load'), plan: { kind: 'in-place', holdMs: 500 } })
    expect(status, JSON.stringify(status)).toMatchObject({ phase: 'rolled-back' })
    expect(answers.filter(({ kind, status: code }) => kind !== 'whole' && code !== 503)).toEqual([])
    expect(changed).toEqual([])
  })
})
