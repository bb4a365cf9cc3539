import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventsOf, SimClient, until } from '../testing/sim-client.js'
import { opening } from '../text/words.js'
import { startSimServer } from './sim-server.js'

interface Choice {
  readonly index: number
  readonly text?: string
  readonly message?: { readonly role: string; readonly content: string }
  readonly delta?: { readonly role?: string; readonly content?: string }
  readonly finish_reason: string | null
}
interface Body {
  readonly id: string
  readonly choices: readonly Choice[]
  readonly usage: {
    readonly prompt_tokens: number
    readonly completion_tokens: number
    readonly prompt_tokens_details: { readonly cached_tokens: number }
  }
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: number }
}

const json = async (response: Response | Promise<Response>) => (await (await response).json()) as Body
const content = async (response: Promise<Response>) => (await json(response)).choices[0]?.message?.content ?? ''
const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0)
const embed = async (sim: SimClient, body: object) =>
  (await (await sim.post('/v1/embeddings', { model: 'sim-8b', ...body })).json()) as { data: { embedding: number[] | string }[] }
const user = (text: string) => ({ role: 'user', content: text })

describe('the simulated engine', () => {
  let sim: SimClient
  beforeAll(async () => void (sim = await SimClient.start()))
  afterAll(() => sim.server.close())

  it('answers a chat and says that it is simulated', async () => {
    const response = await sim.chat({}, { headers: { 'content-type': 'application/json', 'x-request-id': 'abc' } })
    const body = await json(response)
    expect(body).toMatchObject({ id: 'chatcmpl-abc', object: 'chat.completion', model: 'sim-8b' })
    expect(body.choices[0]?.message?.content.startsWith(opening)).toBe(true)
    expect(body.choices[0]?.finish_reason).toBe('stop')
    expect(body.usage.completion_tokens).toBeGreaterThanOrEqual(40)
  })

  it('streams the same text: role first, then tokens, finish, [DONE]', async () => {
    const events = await eventsOf(await sim.chat({ stream: true }))
    expect(events.at(-1)).toBe('[DONE]')
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event) as Body)
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' })
    expect(chunks.at(-1)?.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' })
    expect(chunks.every(({ usage }) => usage === undefined)).toBe(true)
    expect(chunks.map(({ choices }) => choices[0]?.delta?.content ?? '').join('')).toBe(await content(sim.chat()))
  })

  it('sends usage as the last chunk when asked to', async () => {
    const events = await eventsOf(await sim.chat({ stream: true, max_tokens: 7, stream_options: { include_usage: true } }))
    expect(JSON.parse(events.at(-2) ?? '')).toMatchObject({ choices: [], usage: { completion_tokens: 7 } })
    expect(JSON.parse(events.at(-3) ?? '')).toMatchObject({ choices: [{ finish_reason: 'length' }] })
  })

  it('honours max_tokens, max_completion_tokens, stop and ignore_eos', async () => {
    expect((await json(sim.chat({ max_tokens: 5 }))).usage.completion_tokens).toBe(5)
    expect((await json(sim.chat({ max_completion_tokens: 6, max_tokens: 5 }))).usage.completion_tokens).toBe(6)
    expect(await content(sim.chat({ stop: [' answer', 'never'] }))).toBe('This is a simulated')
    const long = await json(sim.chat({ ignore_eos: true, max_tokens: 700 }))
    expect(long).toMatchObject({ usage: { completion_tokens: 700 }, choices: [{ finish_reason: 'length' }] })
  })

  it('goes on from a trailing assistant message to the character', async () => {
    const whole = await content(sim.chat())
    for (let cut = 0; cut <= whole.length; cut += 37) {
      const begun = whole.slice(0, cut)
      const rest = await content(sim.chat({ messages: [user('hello'), { role: 'assistant', content: begun }] }))
      expect(begun + rest).toBe(whole)
    }
  })

  it('reports cached tokens, of an earlier answer too', async () => {
    const question = user('tell me about the sea '.repeat(20))
    const first = await json(sim.chat({ messages: [question] }))
    const answer = { role: 'assistant', content: first.choices[0]?.message?.content }
    const second = await json(sim.chat({ messages: [question, answer, user('and more')] }))
    expect(first.usage.prompt_tokens_details.cached_tokens).toBe(0)
    const known = first.usage.prompt_tokens + first.usage.completion_tokens
    expect(second.usage.prompt_tokens_details.cached_tokens).toBe(Math.floor((known - 1) / 16) * 16)
    expect(await sim.gauge('prefix_cache_hits_total')).toBeGreaterThan(0)
  })

  it('completes strings, lists and token ids, and goes on from a cut completion', async () => {
    const complete = (body: object) => json(sim.post('/v1/completions', { model: 'sim-8b', ...body }))
    const whole = (await complete({ prompt: 'Once upon a time' })).choices[0]?.text ?? ''
    expect((await complete({ prompt: `Once upon a time${whole.slice(0, 123)}` })).choices[0]?.text).toBe(whole.slice(123))
    expect((await complete({ prompt: ['a', 'b'] })).choices.map(({ index }) => index)).toEqual([0, 1])
    expect((await complete({ prompt: [1, 2, 3], max_tokens: 2 })).usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 2 })
    const events = await eventsOf(await sim.post('/v1/completions', { prompt: ['a', 'b'], stream: true, max_tokens: 3 }))
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event) as Body)
    for (const index of [0, 1]) expect(chunks.filter(({ choices }) => choices[0]?.index === index)).toHaveLength(4)
  })

  it('embeds: same text, same vector; both encodings; near when words are shared', async () => {
    const { data } = await embed(sim, { input: ['the ship sails at dawn', 'the ship sails at dusk', 'quarterly tax report'] })
    const [a = [], b = [], c = []] = data.map(({ embedding }) => embedding as number[])
    expect(dot(a, a)).toBeCloseTo(1, 5)
    expect(dot(a, b)).toBeGreaterThan(dot(a, c))
    const coded = (await embed(sim, { input: 'the ship sails at dawn', encoding_format: 'base64' })).data[0]?.embedding as string
    const bytes = Buffer.from(coded, 'base64')
    expect([...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)]).toEqual(a)
  })

  it('lists its model, its version and its state', async () => {
    expect(await (await sim.get('/v1/models')).json()).toMatchObject({ object: 'list', data: [{ id: 'sim-8b', max_model_len: 32768 }] })
    expect(await (await sim.get('/version')).json()).toHaveProperty('version')
    expect(await (await sim.get('/health')).json()).toMatchObject({ status: 'ok', models: ['sim-8b'] })
    expect(await (await sim.get('/sim/state')).json()).toMatchObject({ running: 0, waiting: 0, fault: null })
  })

  it.each([
    ['{"model":', 400, /JSON decode error/],
    ['[1]', 400, /a JSON object/],
    [{ model: 'other', messages: [user('x')] }, 404, /The model `other` does not exist/],
    [{ model: 'sim-8b', messages: [] }, 400, /messages/],
    [{ model: 'sim-8b', messages: [user('x')], n: 2 }, 400, /n over 1/],
    [{ model: 'sim-8b', messages: [user('x')], max_tokens: 0 }, 400, /max_tokens/],
    [{ model: 'sim-8b', messages: [user('x')], max_tokens: 40_000 }, 400, /maximum context length is 32768 tokens/],
  ])('refuses %j with %i', async (body, status, message) => {
    const response = await sim.post('/v1/chat/completions', body)
    expect(response.status).toBe(status)
    expect((await json(response)).error).toMatchObject({ message: expect.stringMatching(message), code: status })
  })

  it('refuses unknown paths, wrong methods, other media types and web pages that switch faults', async () => {
    expect((await sim.get('/nowhere')).status).toBe(404)
    expect((await sim.get('/v1/chat/completions')).status).toBe(405)
    expect((await sim.chat({}, { headers: { 'content-type': 'text/plain' } })).status).toBe(400)
    const fromPage = await sim.post('/sim/faults', { fault: 'die' }, { headers: { origin: 'http://example.org' } })
    expect(fromPage.status).toBe(403)
  })

  it('rejects when its port is taken', async () => {
    await expect(startSimServer({ port: sim.server.port, models: ['x'] })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('a client that leaves', () => {
  it.each([
    ['in mid-stream', { stream: true }],
    ['before the first token', { messages: [user('wait '.repeat(9000))] }],
    ['waiting for a plain answer', {}],
  ])('frees its slot: %s', async (_title, body) => {
    await using sim = await SimClient.start({ profile: '8b-h100', slowness: 20 })
    const leaving = new AbortController()
    const answer = sim
      .chat(body, { signal: leaving.signal })
      .then((response) => response.text())
      .catch(() => 'left')
    await until(async () => (await sim.gauge('num_requests_running')) === 1)
    leaving.abort()
    await until(async () => (await sim.gauge('num_requests_running')) === 0)
    expect(await answer).toBe('left')
    expect(await sim.gauge('kv_cache_usage_perc')).toBe(0)
    const text = await (await sim.get('/metrics')).text()
    expect(text).toMatch(/finished_reason="abort"\} 1\n/u)
  })

  it('frees its place in the queue', async () => {
    await using sim = await SimClient.start({ profile: '8b-h100', slowness: 20, maxNumSeqs: 1 })
    const [first, second] = [new AbortController(), new AbortController()]
    const answers = [first, second].map(({ signal }) => sim.chat({}, { signal }).catch(() => 'left'))
    await until(async () => (await sim.gauge('num_requests_waiting')) === 1)
    second.abort()
    await until(async () => (await sim.gauge('num_requests_waiting')) === 0)
    first.abort()
    await until(async () => (await sim.gauge('num_requests_running')) === 0)
    expect(await Promise.all(answers)).toEqual(['left', 'left'])
  })
})

describe('loading', () => {
  it('is a state with a reason, after which it serves', async () => {
    await using sim = await SimClient.start({ loadMs: 1000 })
    const health = await sim.get('/health')
    expect(health.status).toBe(503)
    expect(await health.json()).toMatchObject({ status: 'loading', reason: expect.any(String), progress: expect.any(Number) })
    const refused = await sim.chat()
    expect(refused.status).toBe(503)
    expect((await json(refused)).error.message).toBe('Loading model')
    await until(async () => (await sim.get('/health')).ok)
    expect((await sim.chat()).status).toBe(200)
  })
})
