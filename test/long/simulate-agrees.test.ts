/**
 * Virtual time is honest: real `lb`, real engine processes and real sockets give the times that `simulate` gives for the same talks. Every step of the engines
 * takes ten times as long as it should, so that sockets and the kernel's scheduler weigh little; the simulated ones are as slow. A choice of node that falls
 * the other way changes all that follow, so virtual time is asked several times, with talks that begin when the real ones did or a few milliseconds later, and
 * its median counts.
 */
import { simulate, type SimulationResult } from '@plimsoll/simulate'
import { afterAll, describe, expect, it } from 'vitest'
import { House } from '../e2e/house.js'
import { runTalks, type RealRun } from './simulate-agrees/real-fleet.js'
import { dice, requestOf, type Talk, type Turn } from './simulate-agrees/talks.js'

const dilate = 10
const nodes = 6
const profile = '8b-h100'
/** The one that falls the other way least often. */
const strategy = process.env['LB_TEST_AGREES_STRATEGY'] ?? 'marginal-cost'
const virtualRuns = 9
const mostLateMs = 5
const warmupShare = 0.2
const mostCpuRatio = 0.6
const tolerance = { p50: 0.1, p90: 0.15 }
const limitMs = 150_000
const report: string[] = []

afterAll(() => void process.stdout.write(`\n${report.join('\n')}\n`))

describe('the real fleet agrees with virtual time', () => {
  it(
    'on single questions that share nothing',
    () => agree('alone', { talks: 600, everyMs: 75 }, (random) => ({ turns: [turn(random, 900)] })),
    limitMs,
  )

  it(
    'on tenants with system prompts of their own',
    () =>
      agree('tenant', { talks: 420, everyMs: 110 }, (random) => {
        const tenant = Math.floor(24 * random() ** 2)
        return { system: { id: 1 + tenant, tokens: 900 + 50 * tenant }, turns: [turn(random, 600)] }
      }),
    limitMs,
  )

  it(
    'on conversations of several turns',
    () =>
      agree('chat', { talks: 110, everyMs: 380 }, (random) => {
        const system = { id: 1 + Math.floor(4 * random()), tokens: 300 }
        return { system, turns: [turn(random, 1200), turn(random, 400), turn(random, 400), turn(random, 400)] }
      }),
    limitMs,
  )
})

/** `everyMs` is the mean gap, on the dilated clock. */
interface Load {
  readonly talks: number
  readonly everyMs: number
}

async function agree(name: string, load: Load, talkOf: (random: () => number) => Pick<Talk, 'system' | 'turns'>): Promise<void> {
  const talks = makeTalks(load, talkOf)
  const real = await realRun(talks)
  const begun = talks.map((talk) => ({ ...talk, atMs: real.begunMs.get(talk.id) ?? talk.atMs }))
  const virtual = Array.from({ length: virtualRuns }, (_, run) => virtualRun(name, run, begun))
  compare(name, virtual, real)
}

function virtualRun(name: string, run: number, talks: readonly Talk[]): SimulationResult {
  const random = dice(100 + run)
  const late = talks.map((talk) => ({ ...talk, atMs: talk.atMs + mostLateMs * random() })).sort((one, other) => one.atMs - other.atMs)
  return simulate({
    nodes: Array.from({ length: nodes }, () => ({ preset: profile, slowness: dilate })),
    workload: { name, starts: late.map((talk) => requestOf(talk)) },
    strategy: { name: strategy },
    seed: 1 + run,
    warmupShare,
  })
}

function makeTalks({ talks, everyMs }: Load, talkOf: (random: () => number) => Pick<Talk, 'system' | 'turns'>): readonly Talk[] {
  const random = dice(5)
  let atMs = 0
  return Array.from({ length: talks }, (_, id) => {
    atMs += -Math.log(1 - random()) * everyMs
    return { id, atMs, ...talkOf(random) }
  })
}

function turn(random: () => number, meanTokens: number): Turn {
  const around = (mean: number) => Math.ceil(mean * (0.25 + 1.5 * random()))
  return { thinkMs: around(3000), userTokens: around(meanTokens), outputTokens: around(30) }
}

async function realRun(talks: readonly Talk[]): Promise<RealRun> {
  const house = new House(topology())
  try {
    const url = await house.up()
    return await runTalks(house, url, talks)
  } finally {
    await house.lb(['down', '--force'])
    await house.close()
  }
}

function topology(): string {
  return `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]
    strategy: ${strategy}
    nodes:
      - name: sim
        engine: sim
        launch: { replicas: ${nodes}, args: { profile: ${profile}, slowness: ${dilate} } }
`
}

function compare(name: string, virtual: readonly SimulationResult[], { answers, begunMs, cpuRatio }: RealRun): void {
  const lastStartMs = Math.max(...begunMs.values())
  const inTime = answers.filter(({ sentMs }) => sentMs <= lastStartMs).sort((one, other) => one.sentMs - other.sentMs)
  const measured = inTime.slice(Math.floor(warmupShare * inTime.length))
  const ttftMs = ascending(measured.map((answer) => answer.ttftMs))
  const errors = (['p50', 'p90'] as const).map((share) => {
    const real = quantile(ttftMs, share === 'p50' ? 0.5 : 0.9)
    const runs = ascending(virtual.map((result) => result.ttftMs[share]))
    const error = real / quantile(runs, 0.5) - 1
    const range = `${quantile(runs, 0.5).toFixed(0)} (${runs[0]?.toFixed(0)} to ${runs.at(-1)?.toFixed(0)})`
    return { share, error, text: `TTFT ${share} ${real.toFixed(0)} ms, in virtual time ${range}: ${percent(error)}` }
  })
  const cached = total(measured.map((answer) => answer.cachedTokens)) / total(measured.map((answer) => answer.promptTokens))
  const virtuallyCached = quantile(ascending(virtual.map(({ cachedTokenShare }) => cachedTokenShare)), 0.5)
  const hits = `cached ${percent(cached)}, in virtual time ${percent(virtuallyCached)}`
  const requests = `${strategy}, ${measured.length} of ${answers.length} requests`
  report.push(`${name.padEnd(7)} ${requests}: ${errors.map(({ text }) => text).join('; ')}; ${hits}; CPU ${percent(cpuRatio)}`)
  expect(answers.length).toBe(virtual[0]?.sent)
  expect(cpuRatio, 'a machine that is busy tells nothing').toBeLessThan(mostCpuRatio)
  for (const { share, error } of errors) expect(Math.abs(error), report.at(-1)).toBeLessThan(tolerance[share])
}

function ascending(values: readonly number[]): readonly number[] {
  return values.toSorted((one, other) => one - other)
}

/** Between the two nearest ranks, as `simulate` has it. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  return below + (place % 1) * ((sorted[Math.ceil(place)] ?? below) - below)
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(1)} %`
}
