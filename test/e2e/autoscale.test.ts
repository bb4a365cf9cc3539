/** The number of nodes follows the load, with real engine processes: more while work waits, fewer when it does not, none while nobody asks. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { ScaleStatus } from '@plimsoll/core/client'
import { ControlClient, type ControlEvent } from '../rollouts/control-client.js'
import { House, isLong, until, type NodeRow } from './house.js'
import { controlSocket } from './thread-load.js'

const pace = 'upAfter: 1s, downAfter: 4s, cooldown: 1s, idle: 3s'

/** Slow engines with few slots: a handful of clients is more than one bears. */
const topology = (replicas: string, more = ''): string => `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]
    drain: 20s
    nodes:
      - { name: gpu, engine: sim, launch: { replicas: ${replicas}, args: { profile: laptop-3b } } }${more}
`

let house: House | undefined
let client: ControlClient | undefined
afterEach(async () => {
  client?.close()
  client = undefined
  await house?.close()
})

interface Pool {
  readonly nodes: readonly NodeRow[]
  readonly scale?: readonly ScaleStatus[]
}

const control = async (): Promise<ControlClient> => (client ??= new ControlClient(await controlSocket(house as House)))

/** Asked at the control socket: a process of its own for each look would be load enough. */
async function pool(): Promise<Pool> {
  const { pools } = await (await control()).get<{ readonly pools: readonly Pool[] }>('/v1/status')
  return pools[0] ?? { nodes: [] }
}

async function ready(): Promise<number> {
  return (await pool()).nodes.filter(({ state }) => state === 'ready').length
}

const ask = async (url: string, tokens = 8): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'sim-8b',
      stream: true,
      max_tokens: tokens,
      messages: [{ role: 'user', content: 'how many of you are there? '.repeat(20) }],
    }),
  })
  return { status: answer.status, text: await answer.text() }
}

/** Clients that ask again and again until told to stop; returns what went wrong. */
function clients(url: string, count: number): () => Promise<string[]> {
  const over = new AbortController()
  const wrong: string[] = []
  const each = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { status, text } = await ask(url)
      if (status !== 200 || !text.includes('[DONE]')) wrong.push(`${status}: ${text.slice(-200)}`)
    }
  }
  const all = Array.from({ length: count }, each)
  return async () => {
    over.abort()
    await Promise.all(all)
    return wrong
  }
}

it.runIf(isLong)(
  'brings a node while work waits, and takes it away again once it is idle, without losing a request',
  async () => {
    house = new House(topology(`{ min: 1, max: 3, target: { queueSeconds: 0.5 }, ${pace} }`))
    const url = await house.up()
    expect((await pool()).nodes.map(({ id }) => id)).toEqual(['demo/gpu-0'])
    const events: ControlEvent[] = []
    ;(await control()).follow((event) => void events.push(event))
    const stop = clients(url, 40)
    await until(async () => (await ready()) >= 2, 40_000)
    const [second] = (await pool()).nodes.filter(({ id }) => id !== 'demo/gpu-0')
    await until(async () => ((await pool()).nodes.find(({ id }) => id === second?.id)?.requests ?? 0) > 0, 20_000)
    expect((await pool()).scale?.[0]).toMatchObject({ group: 'gpu', min: 1, max: 3, follows: 'queue of 0.5 s' })
    expect(await stop()).toEqual([])
    await until(async () => (await pool()).nodes.length === 1, 90_000)
    expect((await pool()).scale?.[0]).toMatchObject({ replicas: 1, wanted: 1 })
    const told = events.filter(({ kind }) => kind === 'scale').map(({ message }) => message)
    expect(told[0]).toMatch(/^demo\/gpu: 1 -> [23] nodes: .+/)
    expect(told.at(-1)).toMatch(/^demo\/gpu: [23] -> 1 node: .+/)
    expect((await ask(url)).status).toBe(200)
  },
  240_000,
)

it('rests when nobody asks, and the first request wakes a node and is answered', async () => {
  house = new House(topology(`{ min: 0, max: 2, ${pace} }`))
  const url = await house.up()
  expect((await pool()).nodes).toEqual([])
  const first = await ask(url)
  expect(first.status).toBe(200)
  expect(first.text).toContain('[DONE]')
  expect((await pool()).nodes).toHaveLength(1)
  await until(async () => (await pool()).nodes.length === 0, 20_000)
  expect((await pool()).scale?.[0]?.reason).toMatch(/no requests/)
  expect((await ask(url)).status).toBe(200)
})

it('has as many nodes as `lb scale` says, also after the balancer was killed', async () => {
  house = new House(topology('2'))
  const url = await house.up()
  const names = async () => (await pool()).nodes.map(({ id }) => id)
  const grown = await house.lb(['scale', 'demo', '3'])
  expect(grown.code, grown.stderr).toBe(0)
  await until(async () => (await ready()) === 3, 20_000)
  expect(await names()).toEqual(['demo/gpu-0', 'demo/gpu-1', 'demo/gpu-2'])
  const pids = (await pool()).nodes.map(({ pid }) => pid)
  process.kill((await house.status()).pid, 'SIGKILL')
  await until(async () => (await ready()) === 3, 60_000)
  expect((await pool()).nodes.map(({ pid }) => pid)).toEqual(pids)
  expect((await pool()).scale?.[0]).toMatchObject({ wanted: 3, follows: null, reason: 'as asked with `lb scale`' })
  await house.lb(['scale', 'demo', '1'])
  await until(async () => (await names()).length === 1, 20_000)
  expect(await names()).toEqual(['demo/gpu-0'])
  expect((await ask(url)).status).toBe(200)
})

it.runIf(isLong)(
  'leaks no machine when the balancer is killed while its provider brings one',
  async () => {
    house = new House(topology('1'))
    const told = join(house.cwd, 'told')
    const tell = (what: string): string => `[sh, -c, 'echo ${what} $LB_FROM $LB_WANTED >> ${told}; test -e ${told}.killed || sleep 20']`
    house.write('lb.yaml', topology(`{ min: 1, max: 3, ${pace}, provider: { up: ${tell('up')}, down: ${tell('down')} } }`))
    await house.up()
    const lines = (): string[] => readFileSync(told, 'utf8').trim().split('\n')
    expect((await house.lb(['scale', 'demo', '2'])).code).toBe(0)
    expect((await pool()).scale?.[0]).toMatchObject({ replicas: 1, wanted: 2 })
    expect(lines()).toEqual(['up 1 2'])
    const { pid } = await house.status()
    process.kill(pid, 'SIGKILL')
    house.write('told.killed', '')
    client?.close()
    client = undefined
    await until(async () => (await ready()) === 2, 60_000)
    expect((await house.lb(['scale', 'demo', '0'])).code).toBe(0)
    await until(async () => lines().at(-1) === 'down 2 1', 60_000)
    expect((await pool()).nodes).toHaveLength(1)
  },
  180_000,
)
