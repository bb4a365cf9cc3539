/** A node that is new computes what is asked most before clients get it: through real processes, by what engines say of their caches. */
import { afterEach, describe, expect, it } from 'vitest'
import { ControlClient, type ControlEvent } from '../rollouts/control-client.js'
import { House, isLong, until, type NodeRow } from './house.js'
import { chat, controlSocket, post } from './thread-load.js'

/** Requests go round, so that the new node gets the first of them whatever is believed of its cache. */
const topology = (more = '', workers = 1): string => `version: 1
gateway: { listen: 127.0.0.1:0, workers: ${workers} }
pools:
  demo:
    models: [sim-8b]
    strategy: round-robin
    drain: 10s
    nodes:
      - { name: gpu, engine: sim, launch: { replicas: 2, args: { profile: instant } }${more} }
`

let house: House | undefined
let client: ControlClient | undefined
afterEach(async () => {
  client?.close()
  client = undefined
  await house?.lb(['down', '--force'])
  await house?.close()
})

interface Usage {
  readonly prompt_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number }
}

/** The instructions of three assistants, some thousand tokens each. */
const prefixes = ['story', 'report', 'poem'].map((kind) => `you write a ${kind} as people like it. `.repeat(300))

let asked = 0

/** The share of the prompt that was in the node's cache, and the node. */
async function ask(url: string, prefix: string): Promise<{ readonly node: string; readonly cached: number }> {
  const { status, text, node } = await post(url, chat(`${prefix} question ${(asked += 1)}`, 4))
  if (status !== 200) throw new Error(`${status}: ${text.slice(0, 300)}`)
  const { usage } = JSON.parse(text) as { usage: Usage }
  return { node, cached: usage.prompt_tokens_details.cached_tokens / usage.prompt_tokens }
}

async function control(): Promise<ControlClient> {
  return (client ??= new ControlClient(await controlSocket(house as House)))
}

async function nodes(): Promise<readonly NodeRow[]> {
  const { pools } = await (await control()).get<{ readonly pools: readonly { readonly nodes: readonly NodeRow[] }[] }>('/v1/status')
  return pools[0]?.nodes ?? []
}

/** A balancer that has served the three assistants for a while. */
async function serving(more = '', workers = 1): Promise<{ readonly url: string; readonly events: ControlEvent[] }> {
  house = new House(topology(more, workers))
  const url = await house.up()
  const events: ControlEvent[] = []
  ;(await control()).follow((event) => void events.push(event))
  for (let turn = 0; turn < 40; turn += 1) for (const prefix of prefixes) await ask(url, prefix)
  return { url, events }
}

/** What the first request of each assistant found in the cache of a node. */
async function firstAt(url: string, id: string): Promise<number[]> {
  const found: number[] = []
  for (const prefix of prefixes)
    for (;;) {
      const { node, cached } = await ask(url, prefix)
      if (node !== id) continue
      found.push(cached)
      break
    }
  return found
}

async function grown(id: string): Promise<void> {
  const { code, stderr } = await (house as House).lb(['scale', 'demo', '3'])
  expect(code, stderr).toBe(0)
  await until(async () => (await nodes()).some((node) => node.id === id && node.state === 'ready'), 30_000)
}

describe('a node that scale has added', () => {
  it.each(isLong ? [1, 2] : [1])('finds the prompts of its first clients in its cache, with %i data threads', async (workers) => {
    const { url, events } = await serving('', workers)
    await grown('demo/gpu-2')
    for (const cached of await firstAt(url, 'demo/gpu-2')) expect(cached).toBeGreaterThan(0.9)
    const told = events.filter(({ node }) => node === 'demo/gpu-2').map(({ message }) => message)
    expect(told).toContainEqual(expect.stringMatching(/is warming: 0\/3 prompts that are asked most/))
    expect(told).toContainEqual(expect.stringMatching(/was warmed with 3 of 3 prompts in [0-9.]+ s/))
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toContain('lb_warm_up_prompts_total{pool="demo",node="demo/gpu-2",outcome="computed"} 3')
  })

  it('computes every prompt itself where its group is not warmed', async () => {
    const { url, events } = await serving(', warmUp: false')
    await grown('demo/gpu-2')
    const [first, ...rest] = await firstAt(url, 'demo/gpu-2')
    expect(first).toBeLessThan(0.1)
    for (const cached of rest) expect(cached).toBeLessThan(0.1)
    expect(events.filter(({ message }) => message.includes('warm'))).toEqual([])
  })
})

it.runIf(isLong)('warms an engine that was started again after a crash', async () => {
  house = new House(topology())
  const url = await house.up()
  for (let turn = 0; turn < 40; turn += 1) for (const prefix of prefixes) await ask(url, prefix)
  const id = 'demo/gpu-0'
  const pid = (await nodes()).find((node) => node.id === id)?.pid ?? 0
  process.kill(pid, 'SIGKILL')
  await until(async () => (await nodes()).some((node) => node.id === id && node.state === 'ready' && node.pid !== pid), 30_000)
  for (const cached of await firstAt(url, id)) expect(cached).toBeGreaterThan(0.9)
})

it.runIf(isLong)('keeps nobody waiting for a node that is the only one', async () => {
  house = new House(topology().replace('replicas: 2', 'replicas: 1'))
  const url = await house.up()
  for (let turn = 0; turn < 20; turn += 1) for (const prefix of prefixes) await ask(url, prefix)
  const [only] = await nodes()
  process.kill(only?.pid ?? 0, 'SIGKILL')
  expect((await ask(url, prefixes[0] ?? '')).cached).toBeLessThan(1)
  const events: ControlEvent[] = []
  ;(await control()).follow((event) => void events.push(event))
  await until(() => events.filter(({ message }) => message.includes('is ready')).length === 2)
  expect(events.filter(({ message }) => message.includes('was warmed'))).toEqual([])
})
