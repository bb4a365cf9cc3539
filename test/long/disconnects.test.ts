/** Clients that vanish at every stage of a request: 200 of them. `npm run test:long -- disconnects`. Its negative control is the short form's. */
import { afterAll, afterEach, expect, it } from 'vitest'
import { closingTimes, stages, Stages } from '../e2e/disconnects.js'
import { until } from '../e2e/house.js'
import { NaiveProxy } from '../e2e/naive-proxy.js'
import { Results } from '../reliability/results.js'

const CLIENTS = 200
const MOST_CLOSE_MS = 50
const MOST_IDLE_MS = 1_000

const results = new Results({
  row: 'e-stages',
  title: 'a disconnect cancels, at every stage',
  promise: `connections to engines closed within ${MOST_CLOSE_MS} ms (p99), engines idle ${MOST_IDLE_MS / 1_000} s later, counters exact, nothing left in line`,
  how: `${CLIENTS} clients, 20 at a time, vanish up to 150 ms after they have reached their stage. The engines that stamp run in the process of the clients; those of the stages "engine" are simulated ones, asked for their own gauges.`,
})
let scene: Stages
let naive: NaiveProxy | undefined

afterEach(async () => {
  await scene.close()
  await naive?.close()
})
afterAll(() => results.write())

const shown = (ms: number): string => (Number.isNaN(ms) ? 'none open' : Number.isFinite(ms) ? ms.toFixed(1) : 'never')

function show(subject: string, more: { control?: true } = {}): number {
  for (const stage of stages) {
    const there = scene.vanished.filter((one) => one.stage === stage)
    if (there.length === 0) continue
    const { count, p50Ms, p99Ms } = closingTimes(there)
    const failed = there.filter(({ closedAfterMs }) => closedAfterMs.some((ms) => ms > MOST_CLOSE_MS)).length
    results.add({
      scenario: stage,
      subject,
      ...more,
      n: there.length,
      failed,
      figures: { connections: count, 'p50 ms': shown(p50Ms), 'p99 ms': shown(p99Ms) },
    })
  }
  return closingTimes(scene.vanished).p99Ms
}

it(`take their requests along, ${CLIENTS} of them`, async () => {
  scene = new Stages()
  await scene.open()
  await scene.run(CLIENTS, { atOnce: 20, seed: 1 })
  const leftAtMs = performance.now()
  await until(
    async () => (await scene.engineGauge('num_requests_running')) + (await scene.engineGauge('num_requests_waiting')) === 0,
    10_000,
  )
  const idleMs = performance.now() - leftAtMs
  await until(async () => (await scene.metric('lb_requests_total')) >= scene.asked, 5_000)
  const p99Ms = show('lb')
  const counted = await scene.metric('lb_requests_total')
  const gone = await scene.metric('lb_requests_total', 'outcome="client-gone"')
  const figures = {
    'p99 ms': shown(p99Ms),
    'engines idle after ms': Math.round(idleMs),
    counted,
    'counted as client-gone': gone,
    'sent in vain': scene.sentInVain,
  }
  results.add({ scenario: 'all', subject: 'lb', n: scene.asked, failed: scene.asked - gone, figures })
  expect(p99Ms).toBeLessThan(MOST_CLOSE_MS)
  expect(idleMs).toBeLessThan(MOST_IDLE_MS)
  expect([counted, gone, scene.sentInVain]).toEqual([scene.asked, scene.asked, 0])
  for (const gauge of ['lb_node_in_flight', 'lb_node_waiting', 'lb_node_tokens_in_flight', 'lb_pool_in_line', 'lb_crash_suspects'])
    expect(await scene.metric(gauge), gauge).toBe(0)
})

it('leave them behind with a proxy that only pipes: the negative control', async () => {
  scene = new Stages()
  await scene.open(async (engineUrl) => {
    naive = await NaiveProxy.start([engineUrl])
    return naive.url
  })
  await scene.run(12, { atOnce: 12, seed: 1, stages: ['prefill', 'plain', 'stream'] })
  expect(show('naive proxy', { control: true })).toBe(Infinity)
})
