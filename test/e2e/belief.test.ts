import { request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { House, until, type NodeRow } from './house.js'
import { chat, post } from './thread-load.js'

let house: House

afterEach(async () => {
  await house.close()
})

const topology = (nodes: string, workers: number): string => `version: 1
gateway: { listen: 127.0.0.1:0, workers: ${workers} }
pools:
  demo:
    models: [sim-8b]
    strategy: least-requests
    nodes:
${nodes}`

const group = (name: string, args: string, replicas = 1): string =>
  `      - { name: ${name}, engine: sim, launch: { replicas: ${replicas}, args: { ${args} } } }\n`

/** One family of metrics, by node. */
async function byNode(url: string, family: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`${family}{`))
  return new Map(lines.map((line) => [/node="([^"]+)"/.exec(line)?.[1] ?? '', Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

const nodes = async (): Promise<readonly NodeRow[]> => (await house.status()).pools[0]?.nodes ?? []

let asked = 0

/** Streams, so many at a time, until told to stop. */
function streams(url: string, count: number, stop: AbortSignal): Promise<void[]> {
  const client = async (): Promise<void> => {
    while (!stop.aborted) {
      const words = `tenant ${asked % 5} ${'and so the night went on '.repeat(20 + (asked % 40))} ${asked++}`
      await post(url, chat(words, 40 + (asked % 80), { stream: true, ignore_eos: true })).catch(() => undefined)
    }
  }
  return Promise.all(Array.from({ length: count }, client))
}

describe('what lb believes of its nodes', () => {
  it.each([1, 2])('knows which one is slow, with %i threads, and no other', async (workers) => {
    house = new House(topology(group('sim', 'profile: 8b-a100', 3) + group('slow', 'profile: 8b-a100, slowness: 4'), workers))
    const url = await house.up()
    const stop = new AbortController()
    const running = streams(url, 12, stop.signal)
    await until(async () => ((await byNode(url, 'lb_node_slowness_ratio')).get('demo/slow') ?? 1) > 2.5, 60_000)
    const slowness = await byNode(url, 'lb_node_slowness_ratio')
    stop.abort()
    await running
    expect([...slowness].filter(([node]) => node !== 'demo/slow').map(([, ratio]) => ratio)).toEqual([1, 1, 1])
    expect(slowness.get('demo/slow')).toBeLessThan(8)
  })

  it.each([1, 2])(
    'leaves no count behind, with %i threads, when clients leave, a node is killed and another is restarted',
    async (workers) => {
      const whole = topology(group('sim', 'profile: laptop-3b', 3), workers)
      house = new House(whole.replace('least-requests', 'least-requests\n    drain: 1s'))
      const url = await house.up()
      const leaving: (() => void)[] = []
      for (let client = 0; client < 12; client += 1) {
        const body = chat(`${'a long story '.repeat(80)} ${client}`, 2_000, { stream: true, ignore_eos: true })
        const sent = request(
          `${url}/v1/chat/completions`,
          { method: 'POST', headers: { 'content-type': 'application/json' } },
          (answer) => {
            answer.on('data', () => undefined).on('error', () => undefined)
          },
        )
        sent.on('error', () => undefined).end(body)
        leaving.push(() => void sent.destroy())
      }
      await until(async () => (await nodes()).reduce((sum, node) => sum + node.inFlight, 0) === 12)
      for (const leave of leaving.slice(0, 4)) leave()
      const victim = (await nodes())[0]?.pid ?? 0
      process.kill(victim, 'SIGKILL')
      const other = (await nodes())[1]?.pid ?? 0
      expect((await house.lb(['nodes', 'restart', 'demo/sim-1'])).code).toBe(0)
      const isNew = (node: NodeRow | undefined, before: number): boolean => node?.state === 'ready' && node.pid !== before
      await until(async () => {
        const [first, second] = await nodes()
        return isNew(first, victim) && isNew(second, other)
      }, 30_000)
      for (const leave of leaving) leave()
      for (const family of [
        'lb_node_in_flight',
        'lb_node_waiting',
        'lb_node_tokens_in_flight',
        'lb_node_prefill_tokens',
        'lb_node_decode_tokens',
      ])
        await until(async () => [...(await byNode(url, family)).values()].join() === '0,0,0', 20_000)
    },
  )
})
