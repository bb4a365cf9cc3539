/** What a strategy that learns says of its own quality, where an operator looks: the status and the metrics of the real lb. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from './house.js'

/** Enough to predict, and to have been checked, in one thread of two. */
const REQUESTS = 120

describe.each([1, 2])('predicted-latency, with %i data threads', (workers) => {
  let house: House
  let url: string

  beforeAll(async () => {
    house = new House(`version: 1
gateway: { listen: 127.0.0.1:0, workers: ${workers} }
pools:
  demo:
    models: [sim-8b]
    strategy: { name: predicted-latency, minSamples: 10 }
    nodes:
      - { name: one, engine: sim, launch: { replicas: 2, args: { profile: instant } } }
`)
    url = await house.up()
    await until(async () => (await house.status()).pools[0]?.nodes.every(({ state }) => state === 'ready') === true)
  })

  afterAll(async () => {
    await house.close()
  })

  async function ask(): Promise<void> {
    const body = JSON.stringify({ model: 'sim-8b', max_tokens: 3, messages: [{ role: 'user', content: 'hello' }] })
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect(answer.status).toBe(200)
    await answer.text()
  }

  it('tells how far its predictions were off, and whether they are followed', async () => {
    for (let round = 0; round < REQUESTS / 10; round += 1) await Promise.all(Array.from({ length: 10 }, () => ask()))
    await until(async () => {
      await ask()
      return ((await house.status()).pools[0]?.strategyReport?.['checked'] ?? 0) > 0
    })
    const report = (await house.status()).pools[0]?.strategyReport
    expect(report?.['ttftError']).toBeGreaterThan(0)
    expect([0, 0.5, 1]).toContain(report?.['isFollowed'])
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/lb_strategy_report\{pool="demo",strategy="predicted-latency",name="ttftError"\} [\d.e-]+/)
  })
})
