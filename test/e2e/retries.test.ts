/** What becomes of requests while nodes fail, restart or ask for a pause, through the real binary. */
import { afterEach, describe, expect, it } from 'vitest'
import { DnsServer } from '../../packages/core/src/discovery/dns-server.test.fixture.js'
import { Fleet } from '../reliability/engines.js'
import { spell } from '../reliability/faults.js'
import { run } from '../reliability/run.js'
import { LbSubject } from '../reliability/subjects.js'
import { House, isLong, simTopology, until } from './house.js'

const open: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

async function ask(url: string, more: object = {}): Promise<Answer> {
  const body = JSON.stringify({ model: 'sim-8b', max_tokens: 8, messages: [{ role: 'user', content: 'hello' }], ...more })
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}

/** Sum over all labels that are not named. */
async function metric(url: string, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

async function attached(pool: string, flags: readonly (readonly string[])[]): Promise<{ fleet: Fleet; lb: LbSubject }> {
  const fleet = await Fleet.startEach(flags)
  open.push(() => fleet.close())
  const lb = (await LbSubject.start({ pool })(fleet.urls)) as LbSubject
  open.push(() => lb.close())
  return { fleet, lb }
}

const quick = ['--profile', '8b-h100'] as const

describe('while all nodes are restarting', () => {
  it.each([1, 2])('requests that begin then are answered, plain ones and streams, with %i data threads', async (workers) => {
    const house = new House(simTopology({ replicas: 2 }).replace('listen: 127.0.0.1:0', `listen: 127.0.0.1:0, workers: ${workers}`))
    open.push(async () => {
      await house.close()
    })
    const url = await house.up()
    expect((await ask(url)).status).toBe(200)
    const nodes = (await house.status()).pools[0]?.nodes ?? []
    for (const { pid } of nodes) process.kill(pid ?? 0, 'SIGKILL')
    const asked = Array.from({ length: 40 }, (_, index) => ask(url, { stream: index % 2 === 0 }))
    const answers = await Promise.all(asked)
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([])
    for (const [index, { text }] of answers.entries()) expect(text).toContain(index % 2 === 0 ? '[DONE]' : '"finish_reason"')
    await until(async () => (await metric(url, 'lb_pool_in_line')) === 0)
    expect(await metric(url, 'lb_request_in_line_seconds_count')).toBeGreaterThan(0)
  })

  it('who waits in vain is told which node is at what, and when to come back', async () => {
    const { fleet, lb } = await attached('    retries: { wait: 1s }\n', [quick, quick])
    await Promise.all(fleet.engines.map((engine) => engine.kill()))
    await until(async () => (await ask(lb.url)).status === 503, 20_000)
    const answer = await ask(lb.url)
    expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([503, true])
    expect(answer.text).toMatch(/"code":"LB_NO_READY_NODE"/)
    for (const node of ['demo/n0', 'demo/n1'])
      expect(answer.text).toMatch(new RegExp(`${node} (failed it: no connection|is suspected to be sick|is down)`))
    // And they are served again as soon as one is there.
    const asked = ask(lb.url)
    await fleet.at(1).start()
    expect((await until(async () => (await ask(lb.url)).status === 200, 20_000), await asked).status).toBeGreaterThan(0)
  })
})

describe('429 everywhere', () => {
  it('is waited out: nobody is refused, and engines are not asked over and over', async () => {
    const { fleet, lb } = await attached('', [quick, quick])
    await Promise.all(fleet.engines.map((engine) => engine.fault('busy:100%')))
    const all = Promise.all(Array.from({ length: 60 }, () => ask(lb.url)))
    await until(async () => (await metric(lb.url, 'lb_pool_in_line')) === 60)
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    await Promise.all(fleet.engines.map((engine) => engine.fault(null)))
    expect((await all).filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([])
    // 60 at first, to each of the two at most; then one request a second tries each of them out.
    const turnedAway = await metric(lb.url, 'lb_retries_total', 'cause="busy"')
    expect(turnedAway).toBeGreaterThan(1)
    expect(turnedAway).toBeLessThan(2 * 60 + 12)
    expect(await metric(lb.url, 'lb_tries_in_vain_total')).toBe(0)
  })
})

describe('a 503 storm on all nodes', () => {
  it.runIf(isLong)('is not multiplied beyond the budget, and no request fails that outlasts it', async () => {
    const { fleet, lb } = await attached('    retries: { floor: 20 }\n    health: { interval: 60s }\n', [quick, quick, quick, quick])
    await Promise.all(fleet.engines.map((engine) => engine.fault('storm-503')))
    const asked = Array.from({ length: 200 }, () => ask(lb.url))
    const all = Promise.all(asked)
    await until(async () => (await metric(lb.url, 'lb_retry_budget_waiting')) > 50)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await metric(lb.url, 'lb_retry_budget_allowed')).toBeLessThanOrEqual(60)
    await Promise.all(fleet.engines.map((engine) => engine.fault(null)))
    expect((await all).filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([])
    const inVain = await metric(lb.url, 'lb_tries_in_vain_total', 'cause="refused"')
    expect(inVain).toBeGreaterThanOrEqual(200)
    expect(inVain).toBeLessThanOrEqual(200 + 60)
  })
})

describe('four nodes that all fail at once, each in a way of its own, for three seconds', () => {
  it.runIf(isLong)('fail no request: who has no node waits for the first that is well', async () => {
    const outcome = await run({
      ask: { count: 20, maxTokens: 24 },
      total: 900,
      concurrency: 60,
      subject: LbSubject.start(),
      strikes: (fleet) => [
        ...spell(fleet.at(0), 'kill -9', 1_000, 4_000),
        ...spell(fleet.at(1), 'SIGSTOP', 1_000, 4_000),
        ...spell(fleet.at(2), 'RST', 1_000, 4_000),
        ...spell(fleet.at(3), '503 storm', 1_000, 4_000),
      ],
    })
    expect(outcome.examples).toEqual([])
    expect(outcome).toMatchObject({ n: 900, whole: 900, failed: 0, hung: 0 })
    expect(outcome.moved).toBeGreaterThan(0)
  })
})

describe('tiers', () => {
  it('the second answers what the first cannot, in the very moment in which the first dies', async () => {
    const fleet = await Fleet.startEach([quick, quick])
    open.push(() => fleet.close())
    const dns = await new DnsServer().open()
    open.push(async () => dns.close())
    const [first = 0, second = 0] = fleet.urls.map((url) => Number(new URL(url).port))
    const record = (priority: number, port: number) => ({ priority, weight: 1, port, target: 'localhost' })
    dns.names = { '_m._tcp.test': { srv: [record(1, first), record(2, second)] } }
    const attach = `{ from: 'srv:_m._tcp.test', resolver: '${dns.address}', every: 60s }`
    const house = new House(
      `gateway: { listen: 127.0.0.1:0 }\npools: { demo: { models: [sim-8b], health: { interval: 60s }, nodes: [ { name: g, engine: sim, attach: ${attach} } ] } }\n`,
    )
    open.push(async () => {
      await house.close()
    })
    const url = await house.up()
    await until(async () => (await house.status()).pools[0]?.nodes.filter(({ state }) => state === 'ready').length === 2)
    const before = await ask(url)
    expect([before.status, (await fleet.at(1).work()).requests]).toEqual([200, 0])
    const asked = Array.from({ length: 30 }, () => ask(url, { max_tokens: 200 }))
    await until(async () => (await fleet.at(0).inside()) > 10)
    await fleet.at(0).kill()
    const answers = await Promise.all([...asked, ask(url)])
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([])
    expect((await fleet.at(1).work()).requests).toBeGreaterThan(10)
  })
})

describe('hedging', () => {
  it('answers from another node where one is slow, and sees the slot of the slow one free', async () => {
    const { fleet, lb } = await attached('    strategy: round-robin\n    retries: { hedge: { after: 300ms, most: 100% } }\n', [
      quick,
      [...quick, '--slowness', '60'],
    ])
    const slow = fleet.at(1)
    const answers: Answer[] = []
    for (let index = 0; index < 8; index += 1)
      answers.push(await ask(lb.url, { stream: true, messages: [{ role: 'user', content: `talk ${index} `.repeat(400) }] }))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
    expect(answers.every(({ text }) => text.includes('[DONE]') && text.match(/"role":"assistant"/g)?.length === 1)).toBe(true)
    expect(await metric(lb.url, 'lb_hedges_total', 'winner="second"')).toBeGreaterThan(0)
    expect(await metric(lb.url, 'lb_tries_in_vain_total', 'cause="hedge"')).toBeGreaterThan(0)
    await until(async () => (await slow.inside()) === 0, 2_000)
    await until(async () => (await metric(lb.url, 'lb_node_in_flight')) === 0, 2_000)
  })
})
