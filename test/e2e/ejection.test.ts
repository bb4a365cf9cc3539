import { afterEach, describe, expect, it } from 'vitest'
import { House, isLong, until, type NodeRow } from './house.js'

let house: House | undefined

afterEach(async () => {
  await house?.close()
})

function topology(pool: string, gateway = ''): string {
  return `version: 1
gateway: { listen: 127.0.0.1:0${gateway} }
pools:
  demo:
    models: [sim-8b]
    strategy: round-robin
${pool}
    nodes:
      - name: sim
        engine: sim
        launch: { replicas: 4, args: { profile: instant } }
`
}

async function nodeAt(index: number): Promise<NodeRow> {
  const node = (await house?.status())?.pools[0]?.nodes[index]
  if (node === undefined) throw new Error(`no node ${index}`)
  return node
}

async function fault(index: number, name: string | null): Promise<void> {
  const { url } = await nodeAt(index)
  const answer = await fetch(`${url}/sim/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ fault: name }),
  })
  expect(answer.status).toBe(200)
}

async function ask(url: string, body: object = {}): Promise<{ readonly status: number; readonly node: string | null }> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sim-8b', max_tokens: 4, messages: [{ role: 'user', content: 'hello' }], ...body }),
  })
  await answer.text()
  return { status: answer.status, node: answer.headers.get('x-lb-node') }
}

/** One after the other; the statuses that were not 200. */
async function askMany(url: string, count: number, body: object = {}): Promise<{ failed: number[]; nodes: Map<string, number> }> {
  const told = { failed: [] as number[], nodes: new Map<string, number>() }
  for (let request = 0; request < count; request += 1) {
    const { status, node } = await ask(url, body)
    if (status !== 200) told.failed.push(status)
    told.nodes.set(node ?? 'none', (told.nodes.get(node ?? 'none') ?? 0) + 1)
  }
  return told
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(name))
  return Number(line?.split(' ').at(-1) ?? 0)
}

const threads = [
  ['in two data threads', ', workers: 2'],
  ['in one thread', ''],
] as const

describe.each(isLong ? threads : threads.slice(0, 1))(
  'a node that answers 503 to everybody while its probes are good, %s',
  (_, gateway) => {
    it('is taken out, comes back by one request at a time, then with a growing share; no client notices', async () => {
      house = new House(topology('    health: { eject: { first: 500ms, longest: 4s }, slowStart: 3s }', gateway))
      const url = await house.up()
      await askMany(url, 8)
      await fault(1, 'storm-503')
      const during = await askMany(url, 60)
      expect(during.failed).toEqual([])
      // It is tried again and again, and out for longer each time.
      const ejections = 'lb_node_ejections_total{pool="demo",node="demo/sim-1",reason="failures"}'
      await until(async () => {
        expect((await askMany(url, 5)).failed).toEqual([])
        return (await metric(url, ejections)) >= 4
      }, 60_000)
      await until(async () => (await nodeAt(1)).reason?.startsWith('ejected for 4 s: ') === true, 60_000)
      await fault(1, null)
      const shares = new Set<number>()
      await until(async () => {
        expect((await askMany(url, 5)).failed).toEqual([])
        const share = await metric(url, 'lb_node_admission_ratio{pool="demo",node="demo/sim-1"}')
        shares.add(share)
        return share === 1
      }, 60_000)
      expect(shares.size).toBeGreaterThan(2)
      expect(await metric(url, 'lb_node_ejected{pool="demo",node="demo/sim-1"}')).toBe(0)
      expect(await nodeAt(1)).toMatchObject({ state: 'ready', reason: null })
      expect((await askMany(url, 20)).nodes.get('demo/sim-1') ?? 0).toBeGreaterThan(1)
    })
  },
)

describe('a node whose clients ask nonsense', () => {
  it('stays, however many answers 400 it gives', async () => {
    house = new House(topology('    retries: { max: 0 }'))
    const url = await house.up()
    const told = await askMany(url, 60, { max_tokens: 10_000_000 })
    expect(new Set(told.failed)).toEqual(new Set([400]))
    expect((await house.status()).pools[0]?.nodes.map(({ state, reason }) => ({ state, reason }))).toEqual(
      Array.from({ length: 4 }, () => ({ state: 'ready', reason: null })),
    )
  })
})

describe('where nobody is to be taken out', () => {
  it('a node that answers 503 stays ready, and is asked again and again', async () => {
    house = new House(topology('    health: { eject: off }'))
    const url = await house.up()
    await fault(1, 'storm-503')
    await askMany(url, 40)
    expect((await nodeAt(1)).state).toBe('ready')
    const refused = await metric(url, 'lb_request_attempts_total{outcome="refused"}')
    await askMany(url, 40)
    expect(await metric(url, 'lb_request_attempts_total{outcome="refused"}')).toBeGreaterThan(refused + 5)
  })
})
