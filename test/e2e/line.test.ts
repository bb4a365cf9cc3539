/** Requests that a strategy holds back wait in the data threads; the main one counts them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { House, until } from './house.js'

const topology = `version: 1
gateway: { listen: 127.0.0.1:0, workers: 2 }
pools:
  demo:
    models: [sim-8b]
    strategy: { name: push-when-idle, maxWaitMs: 60000 }
    line: { max: 50, longest: 20s }
    nodes:
      - { name: sim, engine: sim, launch: { args: { profile: 8b-a100 } } }
`

let house: House
let url: string

beforeAll(async () => {
  house = new House(topology)
  url = await house.up()
})

afterAll(async () => {
  await house.close()
})

const ask = (index: number, signal?: AbortSignal) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'sim-8b',
      stream: true,
      max_tokens: 4,
      messages: [{ role: 'user', content: `talk ${index} `.repeat(1_500) }],
    }),
    ...(signal === undefined ? {} : { signal }),
  })

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name}\\{pool="demo"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
}

it('a line of requests is counted while it stands, served to its end, and forgets who leaves', async () => {
  const leaving = new AbortController()
  const answers = Array.from({ length: 10 }, (_, index) => ask(index))
  const left = ask(10, leaving.signal).catch((error: unknown) => error)
  await until(async () => (await metric('lb_pool_in_line')) >= 3)
  expect((await house.lb(['status'])).stdout).toMatch(/\d+ in line/)
  leaving.abort()
  await left
  for (const answer of await Promise.all(answers)) {
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('[DONE]')
  }
  await until(async () => (await metric('lb_pool_in_line')) === 0)
  await until(async () => (await metric('lb_request_in_line_seconds_count')) >= 5)
  expect(await metric('lb_request_in_line_seconds_sum')).toBeGreaterThan(0.1)
  await until(async () => (await house.status()).pools[0]?.nodes[0]?.inFlight === 0)
})
