import { fetchingHost } from '@plimsoll/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createBackend } from './backend.js'
import { type RecordedServer, recorded, type Routes, startRecordedServer } from './recorded-server.test.fixture.js'
import type { LlamacppSettings } from './settings.js'

let server: RecordedServer | undefined
afterEach(() => server?.close())

let now = 0
const signal = () => AbortSignal.timeout(10_000)
const saturated = {
  '/props': 'props',
  '/metrics': 'metrics-saturated',
  '/slots': 'slots-saturated',
  '/lora-adapters': 'lora-adapters-none',
}
const idle = { ...saturated, '/metrics': 'metrics-idle' }
const asked = () => server!.heads.map((head) => head.split(' ')[1])

async function backendAt(routes: Routes, settings: LlamacppSettings = {}) {
  now = 0
  server = await startRecordedServer(routes)
  return createBackend({ id: 'chat/a', url: server.url, models: ['m'], settings }, fetchingHost, () => now)
}

describe('the load of a llama-server, as recorded', () => {
  it('tells running, waiting, slots, context and tokens', async () => {
    const backend = await backendAt(saturated)
    expect(await backend.load?.(signal())).toEqual({
      running: 2,
      waiting: 4,
      slots: 4,
      contextTokens: 2048,
      promptTokens: 10,
      cachedTokens: 0,
      asleep: false,
    })
  })

  it('tells the share of the KV cache where it is known how the slots divide it', async () => {
    const split = await backendAt(saturated, { metrics: true, slots: 2 })
    expect((await split.load?.(signal()))?.kvUsedRatio).toBeCloseTo(23 / 4096)
    const shared = createBackend({ id: 'chat/b', url: server!.url, models: ['m'], settings: { metrics: true } }, fetchingHost)
    expect((await shared.load?.(signal()))?.kvUsedRatio).toBeCloseTo(23 / 2048)
    const attached = createBackend({ id: 'chat/c', url: server!.url, models: ['m'], settings: {} }, fetchingHost)
    expect(await attached.load?.(signal())).not.toHaveProperty('kvUsedRatio')
  })

  it('asks an idle one for no slots: that would keep it awake', async () => {
    const backend = await backendAt(idle, { metrics: true })
    expect(await backend.load?.(signal())).toMatchObject({ running: 0, waiting: 0, kvUsedRatio: 0 })
    expect(asked()).toEqual(['/props', '/metrics'])
  })

  it('asks the engine at most every 1.5 s, whoever wants to know: polled faster, it keeps slots of clients that left', async () => {
    const backend = await backendAt(saturated, { metrics: true })
    for (now of [0, 500, 1499]) await backend.load?.(signal())
    expect(await backend.drain?.isEmpty(signal())).toBe(false)
    expect(asked().filter((path) => path === '/metrics')).toHaveLength(1)
    now = 1500
    await backend.drain?.isEmpty(signal())
    await backend.load?.(signal())
    expect(asked().filter((path) => path === '/metrics')).toHaveLength(2)
  })

  it('never takes the averages since the last scrape, which another scraper may have reset', async () => {
    const backend = await backendAt(saturated)
    expect(recorded('metrics-saturated').body).toContain('llamacpp:prompt_tokens_seconds 38.7436')
    expect(JSON.stringify(await backend.load?.(signal()))).not.toContain('38')
  })

  it('counts busy slots where /metrics is not served', async () => {
    const backend = await backendAt({ ...saturated, '/metrics': { status: 501, body: '{}' } })
    const facts = await backend.load?.(signal())
    expect(facts).toMatchObject({ running: 2 })
    expect(facts).not.toHaveProperty('waiting')
  })

  it.each([
    ['nothing', ''],
    ['words', 'llamacpp:requests_processing many\nllamacpp:requests_deferred NaN\n'],
    ['impossible numbers', 'llamacpp:requests_processing -1\nllamacpp:requests_deferred +Inf\nllamacpp:prompt_tokens_total 1e999\n'],
    ['another engine', 'vllm:num_requests_running 4\nrequests_processing 3\n'],
  ])('leaves out what is %s', async (_what, body) => {
    const backend = await backendAt({ '/props': 'props', '/metrics': { status: 200, body }, '/slots': { status: 200, body: '{"a":' } })
    expect(await backend.load?.(signal())).toEqual({ slots: 4, contextTokens: 2048, asleep: false })
  })

  it.each(['[]', '[null,7,"x"]', '[{"is_processing":"yes"}]', '[{"id":0,"n_ctx":"many","is_processing":true}]'])(
    'bears slots such as %s',
    async (body) => {
      const backend = await backendAt({ ...saturated, '/slots': { status: 200, body } }, { metrics: true })
      expect(await backend.load?.(signal())).toMatchObject({ running: 2, waiting: 4 })
    },
  )

  it('refuses an answer without end', async () => {
    const backend = await backendAt({ ...saturated, '/metrics': { status: 200, body: 'x'.repeat(5 * 1024 * 1024) } })
    await expect(backend.load?.(signal())).rejects.toThrow('over 4 MiB')
  })

  it('says nothing where /props is closed', async () => {
    const backend = await backendAt({ ...saturated, '/props': 'metrics-loading' })
    expect(await backend.load?.(signal())).toEqual({})
  })
})

describe('adapters', () => {
  it('are named after their files, and asked for once', async () => {
    const backend = await backendAt({ ...idle, '/lora-adapters': 'lora-list' })
    for (now of [0, 2000]) expect(await backend.load?.(signal())).toMatchObject({ adapters: ['tiny-lora-a'] })
    expect(asked().filter((path) => path === '/lora-adapters')).toHaveLength(1)
  })
})

describe('a llama-server that sleeps', () => {
  const asleep = { ...idle, '/props': 'sleep-props-asleep', '/metrics': 'sleep-metrics' }

  it('is not woken: /slots and /lora-adapters would load its model again', async () => {
    const backend = await backendAt(asleep)
    expect(await backend.load?.(signal())).toMatchObject({ asleep: true, running: 0, waiting: 0, slots: 2, contextTokens: 1024 })
    expect(await backend.drain?.isEmpty(signal())).toBe(true)
    expect(asked()).not.toContain('/slots')
    expect(asked()).not.toContain('/lora-adapters')
  })
})

describe('the load of a router', () => {
  const router = { '/props': 'router-props', '/v1/models': 'router-models-loaded', '/props?model=model-a&autoload=false': 'props' }

  it('is the sum over what is in memory, and loads nothing', async () => {
    const backend = await backendAt({ ...router, '/metrics?model=model-a&autoload=false': 'metrics-saturated' })
    expect(await backend.load?.(signal())).toEqual({
      running: 2,
      waiting: 4,
      slots: 4,
      promptTokens: 10,
      cachedTokens: 0,
      loadedModels: ['model-a'],
    })
    expect(await backend.drain?.isEmpty(signal())).toBe(false)
  })

  it('is nothing while nothing is loaded', async () => {
    const backend = await backendAt({ ...router, '/v1/models': 'router-models-unloaded' })
    expect(await backend.load?.(signal())).toEqual({ running: 0, waiting: 0, promptTokens: 0, cachedTokens: 0, loadedModels: [] })
    expect(await backend.drain?.isEmpty(signal())).toBe(true)
  })

  it('leaves out a sum that a model which just left would make too small', async () => {
    const backend = await backendAt({ ...router, '/metrics?model=model-a&autoload=false': 'router-metrics-unloaded-model' })
    expect(await backend.load?.(signal())).toEqual({ slots: 4, loadedModels: ['model-a'] })
  })
})

describe('draining', () => {
  it('is done when neither runs nor waits anything', async () => {
    const backend = await backendAt(idle)
    expect(await backend.drain?.isEmpty(signal())).toBe(true)
  })

  it('takes two SIGTERM: the first leaves open requests hanging', async () => {
    const backend = await backendAt(idle)
    expect(backend.stop).toEqual([
      { signal: 'SIGTERM', waitMs: 4000 },
      { signal: 'SIGTERM', waitMs: 2000 },
    ])
  })
})
