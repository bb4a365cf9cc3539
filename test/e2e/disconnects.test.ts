import { afterEach, describe, expect, it } from 'vitest'
import { closingTimes, stages, Stages } from './disconnects.js'
import { until } from './house.js'
import { NaiveProxy } from './naive-proxy.js'

let scene: Stages
let naive: NaiveProxy | undefined

afterEach(async () => {
  await scene.close()
  await naive?.close()
  naive = undefined
})

/** The machine that runs the tests may be busy with others; the long form holds to the promise. */
const SOON_MS = 3_000

describe('clients that vanish', () => {
  it('at any stage take their requests along: connections are closed, engines idle, each is counted once, nothing is left', async () => {
    scene = new Stages()
    await scene.open()
    await scene.run(5 * stages.length, { atOnce: 10, seed: 1 })
    const { count, p50Ms, p99Ms } = closingTimes(scene.vanished)
    process.stdout.write(
      `${scene.asked} clients vanished, ${count} connections closed after p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms (promised 50)\n`,
    )
    expect(scene.vanished.filter(({ closedAfterMs }) => closedAfterMs.includes(Infinity))).toEqual([])
    expect(p99Ms).toBeLessThan(SOON_MS)
    expect(scene.sentInVain).toBe(0)
    expect(await scene.metric('lb_collected_answers_total')).toBeGreaterThan(0)
    await until(
      async () => (await scene.engineGauge('num_requests_running')) + (await scene.engineGauge('num_requests_waiting')) === 0,
      5_000,
    )
    await until(async () => (await scene.metric('lb_requests_total')) >= scene.asked, 5_000)
    expect(await scene.metric('lb_requests_total')).toBe(scene.asked)
    expect(await scene.metric('lb_requests_total', 'outcome="client-gone"')).toBe(scene.asked)
    for (const gauge of ['lb_node_in_flight', 'lb_node_waiting', 'lb_node_tokens_in_flight', 'lb_pool_in_line', 'lb_crash_suspects'])
      expect(await scene.metric(gauge), gauge).toBe(0)
  })

  it('are noticed by no engine behind a proxy that pipes: the negative control', async () => {
    scene = new Stages()
    await scene.open(async (engineUrl) => {
      naive = await NaiveProxy.start([engineUrl])
      return naive.url
    })
    await scene.run(4, { atOnce: 4, seed: 1, stages: ['prefill', 'plain', 'stream'] })
    expect(closingTimes(scene.vanished)).toMatchObject({ count: 4, p99Ms: Infinity })
  })
})
