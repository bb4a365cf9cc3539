import { afterEach, describe, expect, it } from 'vitest'
import { House, simTopology, until } from './house.js'

let house: House | undefined

afterEach(async () => {
  await house?.close()
})

interface Tally {
  readonly failed: string[]
  readonly nodes: Map<string, number>
}

/** `total` plain requests, `concurrency` at a time; `onStarted` is told how many were begun. */
async function load(
  url: string,
  options: { total: number; concurrency: number; maxTokens?: number; onStarted?: (started: number) => void },
): Promise<Tally> {
  const tally: Tally = { failed: [], nodes: new Map() }
  let started = 0
  const body = JSON.stringify({ model: 'sim-8b', max_tokens: options.maxTokens ?? 12, messages: [{ role: 'user', content: 'hello' }] })
  const client = async (): Promise<void> => {
    while (started < options.total) {
      started += 1
      options.onStarted?.(started)
      try {
        const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
        const text = await answer.text()
        if (answer.status !== 200 || !text.includes('"finish_reason"')) tally.failed.push(`${answer.status} ${text.slice(0, 300)}`)
        const node = answer.headers.get('x-lb-node') ?? 'none'
        tally.nodes.set(node, (tally.nodes.get(node) ?? 0) + 1)
      } catch (error) {
        tally.failed.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, client))
  return tally
}

describe('kill -9 of one of four nodes under 200 concurrent plain requests', () => {
  it('fails none of 3,000; the node comes back and takes traffic again', async () => {
    house = new House(simTopology({ replicas: 4 }))
    const url = await house.up()
    const before = (await house.status()).pools[0]?.nodes[1]
    const tally = await load(url, {
      total: 3_000,
      concurrency: 200,
      onStarted(started) {
        if (started === 800) process.kill(before?.pid ?? 0, 'SIGKILL')
      },
    })
    expect(tally.failed).toEqual([])
    await until(async () => {
      const node = (await house?.status())?.pools[0]?.nodes[1]
      return node?.state === 'ready' && node.pid !== before?.pid
    }, 15_000)
    const after = await load(url, { total: 200, concurrency: 20 })
    expect(after.failed).toEqual([])
    expect(after.nodes.get('demo/sim-1') ?? 0).toBeGreaterThan(0)
    expect((await house.status()).pools[0]?.nodes[1]?.restarts).toBe(1)
  })

  it('would lose some without retries: the negative control', async () => {
    house = new House(simTopology({ replicas: 4, profile: '8b-h100', more: '    retries: { max: 0 }' }))
    const url = await house.up()
    await until(async () => (await house?.status())?.pools[0]?.nodes.every(({ state }) => state === 'ready') === true)
    const victim = async () => (await house?.status())?.pools[0]?.nodes[1]
    const loaded = load(url, { total: 600, concurrency: 200, maxTokens: 100 })
    // It has answers to give for another second.
    await until(async () => ((await victim())?.inFlight ?? 0) > 10)
    process.kill((await victim())?.pid ?? Number.NaN, 'SIGKILL')
    const tally = await loaded
    expect(tally.failed.length).toBeGreaterThan(0)
  })
})
