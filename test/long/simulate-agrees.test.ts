/**
 * Virtual time is honest: real `lb`, real engine processes and real sockets give the times that `simulate` gives for the same talks. Every step of the engines
 * takes ten times as long as it should, so that sockets and the kernel's scheduler weigh nothing; the simulated ones are as slow.
 */
import { simulate, type SimulationResult } from '@plimsoll/simulate'
import { afterAll, describe, expect, it } from 'vitest'
import { House } from '../e2e/house.js'
import { runTalks, type RealRun } from './simulate-agrees/real-fleet.js'
import { dice, requestOf, type Talk, type Turn } from './simulate-agrees/talks.js'

const dilate = 10
const nodes = 6
const profile = '8b-h100'
const strategy = process.env['LB_TEST_AGREES_STRATEGY'] ?? 'lmetric'
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
      agree('tenant', { talks: 450, everyMs: 100 }, (random) => {
        const tenant = Math.floor(24 * random() ** 2)
        return { system: { id: 1 + tenant, tokens: 900 + 50 * tenant }, turns: [turn(random, 250)] }
      }),
    limitMs,
  )

  it(
    'on conversations of several turns',
    () =>
      agree('chat', { talks: 170, everyMs: 220 }, (random) => {
        const system = { id: 1 + Math.floor(4 * random()), tokens: 150 }
        return { system, turns: [turn(random, 500), turn(random, 120), turn(random, 120), turn(random, 120)] }
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
  const virtual = simulate({
    nodes: Array.from({ length: nodes }, () => ({ preset: profile, slowness: dilate })),
    workload: { name, starts: talks.map((talk) => requestOf(talk)) },
    strategy: { name: strategy },
    warmupShare,
  })
  const real = await realRun(talks)
  compare(name, virtual, real)
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

function compare(name: string, virtual: SimulationResult, { answers, lastStartMs, cpuRatio }: RealRun): void {
  const inTime = answers.filter(({ sentMs }) => sentMs <= lastStartMs).sort((one, other) => one.sentMs - other.sentMs)
  const measured = inTime.slice(Math.floor(warmupShare * inTime.length))
  const ttftMs = measured.map((answer) => answer.ttftMs).sort((one, other) => one - other)
  const real = { p50: quantile(ttftMs, 0.5), p90: quantile(ttftMs, 0.9) }
  const cached = total(measured.map((answer) => answer.cachedTokens)) / total(measured.map((answer) => answer.promptTokens))
  const line = (share: 'p50' | 'p90') =>
    `TTFT ${share} ${real[share].toFixed(0)} ms, in virtual time ${virtual.ttftMs[share].toFixed(0)} (${percent(real[share] / virtual.ttftMs[share] - 1)})`
  const hits = `cached ${percent(cached)}, in virtual time ${percent(virtual.cachedTokenShare)}`
  report.push(
    `${name.padEnd(7)} ${strategy}, ${measured.length} of ${answers.length} requests: ${line('p50')}; ${line('p90')}; ${hits}; CPU ${percent(cpuRatio)}`,
  )
  expect(answers.length).toBe(virtual.sent)
  expect(cpuRatio, 'a machine that is busy tells nothing').toBeLessThan(mostCpuRatio)
  expect(Math.abs(real.p50 / virtual.ttftMs.p50 - 1), report.at(-1)).toBeLessThan(tolerance.p50)
  expect(Math.abs(real.p90 / virtual.ttftMs.p90 - 1), report.at(-1)).toBeLessThan(tolerance.p90)
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
