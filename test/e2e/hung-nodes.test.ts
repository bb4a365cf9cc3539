/** Nodes that hang while their health says ok, through the real binary: taken out, their requests answered elsewhere, evidence kept, back by themselves. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House, isLong, until, type NodeRow } from './house.js'

const houses: House[] = []
afterEach(async () => {
  for (const house of houses.splice(0)) {
    await house.close()
  }
})

interface Setting {
  readonly replicas?: number
  readonly args?: string
  readonly health?: string
  readonly workers?: number
}

async function up({ replicas = 3, args = '{ profile: 8b-h100 }', health = '{ hung: { after: 2s } }', workers = 1 }: Setting = {}): Promise<{
  house: House
  url: string
}> {
  const house = new House(`version: 1
gateway: { listen: 127.0.0.1:0, workers: ${workers} }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - { name: sim, engine: sim, launch: { replicas: ${replicas}, args: ${args} } }
    health: ${health}
`)
  houses.push(house)
  return { house, url: await house.up() }
}

interface Answer {
  readonly status: number
  readonly node: string | null
  readonly tookMs: number
}

const SECRET_WORD = 'heliotrope'

async function ask(url: string, more: object = {}): Promise<Answer> {
  const fromMs = performance.now()
  const body = { model: 'sim-8b', max_tokens: 30, messages: [{ role: 'user', content: `${SECRET_WORD} ${Math.random()}` }], ...more }
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await answer.text()
  return { status: answer.status, node: answer.headers.get('x-lb-node'), tookMs: performance.now() - fromMs }
}

/** Clients that ask again as soon as they are answered, every other one for streams. */
class Clients {
  readonly answers: Answer[] = []
  private stopped = false
  private readonly all: Promise<void>[]

  constructor(url: string, count = 12) {
    this.all = Array.from({ length: count }, async (_, index) => {
      const lost = { status: 0, node: null, tookMs: 0 }
      while (!this.stopped) this.answers.push(await ask(url, { stream: index % 2 === 0 }).catch(() => lost))
    })
  }

  async stop(): Promise<readonly Answer[]> {
    this.stopped = true
    await Promise.all(this.all)
    return this.answers
  }
}

async function nodeOf(house: House, index: number): Promise<NodeRow & { readonly evidence?: string | null }> {
  const node = (await house.status()).pools[0]?.nodes[index]
  if (node === undefined) throw new Error('no such node')
  return node
}

/** What is seen of it the first time that it is out; to ask takes longer than a node needs to be so. */
async function untilOut(house: House, index: number): Promise<NodeRow> {
  let node = await nodeOf(house, index)
  await until(async () => (node = await nodeOf(house, index)).state === 'suspect', 20_000)
  return node
}

async function fault({ url }: NodeRow, name: string | null): Promise<void> {
  expect((await fetch(`${url}/sim/faults`, { method: 'POST', body: JSON.stringify({ fault: name }) })).status).toBe(200)
}

function evidenceIn(house: House): readonly string[] {
  return readdirSync(join(house.folder, 'state'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes('/evidence/'))
    .map((path) => join(house.folder, 'state', path))
}

interface Evidence {
  readonly why: string
  readonly node: { readonly id: string; readonly pid: number }
  readonly requests: { readonly inFlight: number }
  readonly probes: readonly { readonly verdict: string }[]
  readonly processes: { readonly all: readonly { readonly pid: number; readonly state: string }[] }
  readonly log: readonly string[]
}

describe('a node that takes requests and brings no token', { timeout: 180_000 }, () => {
  it.each(isLong ? [1, 2] : [2])(
    'is out soon although its health says ok, leaves evidence, fails no request, and comes back by itself: %i workers',
    async (workers) => {
      const { house, url } = await up({ workers })
      const clients = new Clients(url)
      await until(() => clients.answers.length > 60, 30_000)
      const node = await nodeOf(house, 1)
      const struckAtMs = Date.now()
      await fault(node, 'stall')
      const out = await untilOut(house, 1)
      expect(out.sinceMs - struckAtMs).toBeLessThan(6_000)
      expect(out.reason).toMatch(/no token for|request of one token/u)
      await until(() => evidenceIn(house).some((path) => path.endsWith('.json')))
      const [file = ''] = evidenceIn(house).filter((path) => path.endsWith('.json'))
      expect(statSync(file).mode & 0o777).toBe(0o600)
      const text = readFileSync(file, 'utf8')
      expect(text).not.toContain(SECRET_WORD)
      const evidence = JSON.parse(text) as Evidence
      expect(evidence).toMatchObject({
        node: { id: 'demo/sim-1', pid: node.pid },
        why: expect.stringContaining('although its probes are good'),
      })
      expect(evidence.requests.inFlight).toBeGreaterThan(0)
      expect(evidence.probes.at(-1)?.verdict).toBe('ready')
      expect(evidence.processes.all[0]).toMatchObject({ pid: node.pid, state: expect.stringContaining('sleeping') })
      await fault(node, null)
      await until(async () => (await nodeOf(house, 1)).state === 'ready', 30_000)
      const before = (await nodeOf(house, 1)).requests
      await until(async () => (await nodeOf(house, 1)).requests > before + 3, 30_000)
      const answers = await clients.stop()
      expect(answers.filter(({ status }) => status !== 200)).toEqual([])
      expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(9_000)
      const metrics = await (await fetch(`${url}/metrics`)).text()
      expect(metrics).toMatch(/^lb_node_hung_total\{pool="demo",node="demo\/sim-1"\} [1-9]/mu)
      expect(metrics).toMatch(/^lb_canary_requests_total\{pool="demo",node="demo\/sim-1",outcome="answered"\} [1-9]/mu)
    },
  )

  it('is out at once when its process is stopped, and back when it goes on', async () => {
    const { house, url } = await up({ health: '{ hung: { after: 8s } }' })
    const clients = new Clients(url)
    await until(() => clients.answers.length > 60, 30_000)
    const { pid } = await nodeOf(house, 0)
    const struckAtMs = Date.now()
    process.kill(pid ?? 0, 'SIGSTOP')
    const out = await untilOut(house, 0)
    expect(out.sinceMs - struckAtMs).toBeLessThan(6_000)
    await until(() => evidenceIn(house).some((path) => path.endsWith('.json')))
    const [file = ''] = evidenceIn(house).filter((path) => path.endsWith('.json'))
    expect((JSON.parse(readFileSync(file, 'utf8')) as Evidence).why).toContain('its process is stopped')
    process.kill(pid ?? 0, 'SIGCONT')
    await until(async () => (await nodeOf(house, 0)).state === 'ready', 30_000)
    const answers = await clients.stop()
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(9_000)
  })

  it.runIf(isLong)('is restarted when lb launched it and it goes on hanging', async () => {
    const { house, url } = await up({ health: '{ hung: { after: 2s, restartAfter: 4s } }' })
    const clients = new Clients(url)
    await until(() => clients.answers.length > 60, 30_000)
    const before = await nodeOf(house, 2)
    await fault(before, 'stall')
    await until(async () => (await nodeOf(house, 2)).restarts === 1, 30_000)
    await until(async () => (await nodeOf(house, 2)).state === 'ready', 30_000)
    expect((await nodeOf(house, 2)).pid).not.toBe(before.pid)
    const answers = await clients.stop()
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  })

  it.runIf(isLong)('stays in where nobody watches: the negative control', async () => {
    const { house, url } = await up({ replicas: 2, health: '{ hung: off }' })
    for (let asked = 0; asked < 10; asked += 1) await ask(url)
    await fault(await nodeOf(house, 0), 'stall')
    const moved = Promise.all(Array.from({ length: 8 }, () => ask(url)))
    const stuck = await Promise.race([moved, new Promise<undefined>((resolve) => setTimeout(resolve, 7_000, undefined))])
    expect(stuck).toBeUndefined()
    expect((await nodeOf(house, 0)).state).toBe('ready')
    expect(evidenceIn(house)).toEqual([])
    await fault(await nodeOf(house, 0), null)
    await moved
  })
})

describe('a node that reads a long prompt', { timeout: 180_000 }, () => {
  it.runIf(isLong).each(['stream', 'plain'])('is left alone, although nothing comes for many times what is allowed: %s', async (kind) => {
    const args = '{ profile: laptop-3b, slowness: 2, maxNumSeqs: 1 }'
    const { house, url } = await up({ replicas: 1, args, health: '{ hung: { after: 1s, restartAfter: 2s }, canary: false }' })
    for (let asked = 0; asked < 6; asked += 1) await ask(url, { max_tokens: 4, stream: true })
    const words = Array.from({ length: 1_800 }, (_, index) => `word${index}`).join(' ')
    const { status, tookMs } = await ask(url, { max_tokens: 4, stream: kind === 'stream', messages: [{ role: 'user', content: words }] })
    expect(tookMs).toBeGreaterThan(6_000)
    expect(status).toBe(200)
    const node = await nodeOf(house, 0)
    expect([node.state, node.restarts, evidenceIn(house)]).toEqual(['ready', 0, []])
  })
})
