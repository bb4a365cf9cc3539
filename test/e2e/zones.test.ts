/** A node in this zone and one that answers from afar: how far is measured by its probes, and it is used once the wait here is longer. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from './house.js'

/** There and back. */
const WAY_MS = 80

let far: Server
let house: House
let url: string

beforeAll(async () => {
  far = createServer((request, response) => {
    const body =
      request.method === 'GET'
        ? { object: 'list', data: [{ id: 'sim-8b', object: 'model' }] }
        : { choices: [{ index: 0, message: { role: 'assistant', content: 'from afar' }, finish_reason: 'stop' }] }
    request.resume().on('end', () => setTimeout(() => response.end(JSON.stringify(body)), WAY_MS))
  })
  await new Promise<void>((resolve) => far.listen(0, '127.0.0.1', resolve))
  house = new House(`version: 1
gateway: { listen: 127.0.0.1:0, zone: eu-1 }
pools:
  demo:
    models: [sim-8b]
    strategy: lmetric
    nodes:
      - { name: near, engine: sim, launch: { args: { profile: 8b-a100 } } }
      - { name: far, engine: openai, attach: 'http://127.0.0.1:${(far.address() as AddressInfo).port}', zone: us-1 }
`)
  url = await house.up()
  await until(async () => (await house.status()).pools[0]?.nodes.every(({ state }) => state === 'ready') === true)
})

afterAll(async () => {
  await house.close()
  far.closeAllConnections()
  far.close()
})

async function ask(content: string, maxTokens = 2): Promise<{ node: string; id: string }> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-lb-trace': '1' },
    body: JSON.stringify({ model: 'sim-8b', max_tokens: maxTokens, messages: [{ role: 'user', content }] }),
  })
  expect(answer.status, await answer.clone().text()).toBe(200)
  await answer.text()
  return { node: answer.headers.get('x-lb-node') ?? '', id: answer.headers.get('x-request-id') ?? '' }
}

describe('a gateway in a zone', () => {
  it('keeps to the near node while it is free, and says how far the other one is', async () => {
    let last = ''
    for (let index = 0; index < 4; index += 1) {
      const { node, id } = await ask(`hello ${index}`)
      expect(node).toBe('demo/near')
      last = id
    }
    const told = await house.lb(['why', last])
    expect(told.stdout).toMatch(/left out +far \(zone: stands in zone us-1, \d+(\.\d)? ms away; a nearer node will be sooner\)/)
    // Half a probe: the connection to this machine itself takes no time.
    const away = Number(/zone us-1, ([\d.]+) ms away/.exec(told.stdout)?.[1])
    expect(away).toBeGreaterThanOrEqual(WAY_MS / 2)
    expect(away).toBeLessThan(10 * WAY_MS)
  })

  it('goes afar once the wait here is longer than the way there, and comes back', async () => {
    const long = Array.from({ length: 4 }, (_, index) => ask(`story ${index} `.repeat(4_000)))
    // The far one has done its part of them, and the near one is at its first still.
    await until(async () => {
      const [near, far] = (await house.status()).pools[0]?.nodes ?? []
      return (near?.inFlight ?? 0) > 0 && far?.inFlight === 0
    })
    expect((await ask('a short question')).node).toBe('demo/far')
    expect(new Set((await Promise.all(long)).map(({ node }) => node)).size).toBe(2)
    await until(async () => (await house.status()).pools[0]?.nodes[0]?.inFlight === 0)
    expect((await ask('another one')).node).toBe('demo/near')
  })
})
