import { createBalancer, type Balancer } from '@plimsoll/core'
import { afterEach, describe, expect, it } from 'vitest'
import { collect } from './collect.js'
import { plugin } from './index.js'
import { recorded, startRecordedServer, type RecordedServer } from './recorded-server.test.fixture.js'
import { SlotServer } from './slots.test.fixture.js'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function balancerBefore(url: string): Promise<Balancer> {
  const pools = { chat: { models: ['tiny'], drain: '1ms', nodes: [{ engine: 'llamacpp', attach: url }] } }
  const balancer = createBalancer({ topology: { name: 'collect', pools }, engines: [plugin] })
  open.push(() => balancer.close({ force: true }))
  await balancer.start()
  return balancer
}

function ask(balancer: Balancer, body: object, signal?: AbortSignal, path = 'chat/completions'): Promise<Response> {
  const text = JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'hello there friend' }], ...body })
  const headers = { 'content-type': 'application/json' }
  return balancer.fetch(
    new Request(`http://lb/v1/${path}`, { method: 'POST', headers, body: text, ...(signal === undefined ? {} : { signal }) }),
  )
}

/** Every key in its order, with what kind of value it has; texts and numbers differ from run to run. */
function silhouette(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(silhouette)
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.entries(value).map(([key, part]) => [key, silhouette(part)])
}

const rawOf = (text: string, key: string): string | undefined =>
  new RegExp(`"${key}":(\\{(?:[^{}]|\\{[^}]*\\})*\\}|[^,}]+)`).exec(text)?.[1]

describe('a plain answer that is collected from a recorded stream', () => {
  let server: RecordedServer

  const answerTo = async (stream: string, path: string, body: object): Promise<string> => {
    const probes = { '/health': 'health-ready', '/v1/models': 'v1-models', '/props': 'props' }
    server = await startRecordedServer({ ...probes, [`/v1/${path}`]: stream })
    open.push(() => server.close())
    const answer = await ask(await balancerBefore(server.url), body, undefined, path)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    return answer.text()
  }

  it.each([
    ['chat', 'chat-stream-usage', 'chat-nonstream', 'chat/completions', {}],
    [
      'completions',
      'completions-stream-usage',
      'completions-nonstream',
      'completions',
      { messages: undefined, prompt: 'Once upon a time' },
    ],
  ])(
    'has every field of the recorded plain answer, in its order, with the values of the stream byte for byte (%s)',
    async (...[, stream, plain, path, body]) => {
      const text = await answerTo(stream, path, body)
      expect(silhouette(JSON.parse(text))).toEqual(silhouette(JSON.parse(recorded(plain).body)))
      const last =
        recorded(stream)
          .events.split('data: ')
          .findLast((event) => event.includes('"usage"')) ?? ''
      for (const key of ['created', 'model', 'system_fingerprint', 'usage', 'id', 'timings']) {
        expect(rawOf(text, key)).toBeDefined()
        expect(rawOf(text, key)).toBe(rawOf(last, key))
      }
      expect(rawOf(text, 'object')).toBe(rawOf(recorded(plain).body, 'object'))
      expect(rawOf(text, 'finish_reason')).toBe('"length"')
    },
  )

  it('has the text of the stream', async () => {
    expect(await answerTo('chat-stream-usage', 'chat/completions', {})).toContain(
      '"message":{"role":"assistant","content":" Gazette crackquery BrightMon"}',
    )
  })

  it.each([
    ['tools', []],
    ['logprobs', true],
    ['n', 2],
    ['stop', ['\n']],
    ['response_format', { type: 'json_object' }],
    ['stream_options', {}],
    ['timings_per_token', true],
    ['grammar', 'root ::= "a"'],
  ])('is not asked for where the body has %s', (name, value) => {
    const fits = (fields: Record<string, unknown>): boolean | undefined =>
      collect['openai-chat']?.fits({
        names: Object.keys(fields),
        value: (key) => fields[key],
        isText: (key) => typeof fields[key] === 'string',
      })
    const ordinary = { model: 'tiny', messages: [], max_tokens: 5, n: 1, stream: false }
    expect(fits(ordinary)).toBe(true)
    expect(fits({ ...ordinary, [name]: value })).toBe(false)
  })
})

describe('the slot of a plain request whose client leaves', () => {
  async function leave(body: object): Promise<{ server: SlotServer; stopOther: () => void; balancer: Balancer }> {
    const server = await new SlotServer().open()
    open.push(() => server.close())
    const balancer = await balancerBefore(server.url)
    const other = new AbortController()
    const stream = await ask(balancer, { stream: true }, other.signal)
    open.push(() => stream.body?.cancel().catch(() => undefined))
    const leaving = new AbortController()
    const asked = ask(balancer, body, leaving.signal).catch(() => undefined)
    await expect.poll(() => [server.busy, server.results > 0]).toEqual([2, true])
    await expect.poll(() => balancer.status().pools[0]?.waiting).toBe('stop' in body ? 1 : 0)
    leaving.abort()
    await asked
    return { server, balancer, stopOther: () => other.abort() }
  }

  it('is free at once, although another request gets results all the time', async () => {
    const { server, balancer } = await leave({})
    await expect.poll(() => server.busy, { timeout: 900 }).toBe(1)
    expect(balancer.metrics()).not.toMatch(/lb_late_releases_total\{.*\} 1/)
  })

  it('stays busy without collecting, until nobody gets a result for a second; that is counted', async () => {
    const { server, balancer, stopOther } = await leave({ stop: ['never'] })
    const seen = server.results
    await expect.poll(() => server.results, { timeout: 10_000 }).toBeGreaterThan(seen + 100)
    expect(server.busy).toBe(2)
    expect(balancer.metrics()).toContain('lb_late_releases_total{pool="chat"} 1')
    stopOther()
    await expect.poll(() => server.busy, { timeout: 10_000 }).toBe(0)
  }, 30_000)
})
