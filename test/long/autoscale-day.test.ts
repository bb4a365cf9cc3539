/**
 * A day of real arrival rates in virtual time: how many nodes the balancer's own policy has, beside somebody who knows the day, a fixed number, and a policy that
 * only looks at the present. Nodes take a minute to start.
 */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { simulate, type ScaleChange, type SimulatedScale, type SimulationResult } from '@plimsoll/simulate'
import { leastNodes, nodeSecondsOf, type Fleet } from './autoscale-day/clairvoyant.js'
import { readDay, workloadOf, type Day } from './autoscale-day/day.js'

const file = fileURLToPath(new URL('autoscale-day/deepseek-r1.csv.gz', import.meta.url))
const fleet: Fleet = { node: { preset: '8b-a100' }, strategy: 'least-tokens', objectiveMs: 1_000, startMs: 60_000, most: 20 }
const plan = {
  min: 1,
  max: fleet.most,
  target: { ttftP95Ms: fleet.objectiveMs },
  // As the topology has them where it says nothing.
  upAfterMs: 20_000,
  downAfterMs: 300_000,
  cooldownMs: 10_000,
  idleMs: 600_000,
  schedule: [],
  triggers: [],
}
const follow: SimulatedScale = { kind: 'follow', plan, startMs: fleet.startMs, from: 2 }
const mostRatio = 1.35
const limitMs = 1_800_000
const report = (line: string): void => void process.stdout.write(`\n${line}\n`)

function run(day: Day, scale: SimulatedScale, name: string): SimulationResult & { readonly flaps: number; readonly nodeSeconds: number } {
  const beganMs = performance.now()
  const result = simulate({
    nodes: Array.from({ length: fleet.most + 4 }, () => fleet.node),
    workload: workloadOf(day),
    strategy: { name: fleet.strategy },
    pollMs: 1_000,
    warmupShare: 0,
    sloTtftMs: fleet.objectiveMs,
    scale,
  })
  const { changes = [], nodeSeconds = 0 } = result.scale ?? {}
  const flaps = flapsOf(changes)
  const figures = [
    `${result.sent} requests`,
    `TTFT p95 ${Math.round(result.ttftMs.p95)} ms`,
    `${(100 * result.inObjectiveShare).toFixed(1)} % within ${fleet.objectiveMs} ms`,
    `${Math.round(nodeSeconds)} node-seconds`,
    `${changes.length} changes, ${flaps} flaps`,
    `simulated in ${((performance.now() - beganMs) / 1_000).toFixed(0)} s`,
  ]
  report(`${name}: ${figures.join(', ')}`)
  return { ...result, flaps, nodeSeconds }
}

/** Changes that took another one back within ten minutes, either way. */
function flapsOf(changes: readonly ScaleChange[]): number {
  return changes.filter(({ atMs, from, to }, at) => {
    const before = changes[at - 1]
    return before !== undefined && atMs - before.atMs < 600_000 && Math.sign(to - from) !== Math.sign(before.to - before.from)
  }).length
}

it(
  'keeps the objective over the whole day for at most 1.35 times the node-seconds of somebody who knows it, and flaps less than once an hour',
  () => {
    const hours = 24
    const day = readDay(file, { category: 'deepseek-r1', share: 1, seed: 1 })
    const least = leastNodes(day, 60 * hours, fleet, 4)
    const clairvoyant = nodeSecondsOf(least, fleet.startMs)
    const { ttftMs, nodeSeconds, flaps, sent, refused } = run(day, follow, 'the policy')
    report(`somebody who knows the day: ${clairvoyant} node-seconds; ${(nodeSeconds / clairvoyant).toFixed(3)} times as many`)
    expect(refused).toBe(0)
    expect(sent).toBe(day.atMs.length)
    expect(ttftMs.p95).toBeLessThanOrEqual(fleet.objectiveMs)
    expect(nodeSeconds / clairvoyant).toBeLessThanOrEqual(mostRatio)
    expect(flaps / hours).toBeLessThan(1)
  },
  limitMs,
)

it(
  'and that is not easy: as many nodes as the mean load wants miss the objective, and who only looks at the present flaps',
  () => {
    const [from, to] = [20, 22]
    const day = readDay(file, { category: 'deepseek-r1', share: 1, seed: 1, from, to })
    const least = leastNodes(day, 60 * (to - from), fleet, 10)
    const mean = Math.round(least.reduce((sum, nodes) => sum + nodes, 0) / least.length)
    const known = run(
      day,
      { kind: 'schedule', startMs: fleet.startMs, ready: least.map((nodes, minute) => ({ atMs: 60_000 * minute, nodes })) },
      'who knows',
    )
    const fixed = run(day, { kind: 'schedule', startMs: fleet.startMs, ready: [{ atMs: 0, nodes: mean }] }, `${mean} nodes`)
    const naive = run(day, { kind: 'follow', plan, startMs: fleet.startMs, from: 2, policy: naivePolicy() }, 'a naive policy')
    expect(known.ttftMs.p95).toBeLessThanOrEqual(fleet.objectiveMs)
    expect(fixed.ttftMs.p95).toBeGreaterThan(fleet.objectiveMs)
    expect(naive.flaps / (to - from)).toBeGreaterThan(1)
  },
  limitMs,
)

/** One node more while something waits, one less while nothing does; a minute between two changes. */
function naivePolicy(): (facts: { readonly replicas: number; readonly waiting: number }, nowMs: number) => number {
  let changedAtMs = 0
  return ({ replicas, waiting }, nowMs) => {
    if (nowMs - changedAtMs < 60_000) return replicas
    const wanted = waiting > 4 * replicas ? replicas + 1 : waiting < replicas ? replicas - 1 : replicas
    if (wanted !== replicas) changedAtMs = nowMs
    return Math.max(1, Math.min(fleet.most, wanted))
  }
}
