import { afterEach, describe, expect, it } from 'vitest'
import type { NodeSpec } from '@plimsoll/core/plugin'
import { detect } from './detect.js'
import { fetchingHost } from './fetching-host.test.fixture.js'
import { plugin } from './index.js'
import { recorded, type RecordedServer, startRecordedServer } from './recorded-server.test.fixture.js'

let server: RecordedServer | undefined
afterEach(() => server?.close())

const signal = () => AbortSignal.timeout(10_000)
const specOf = (url: string, more: Partial<NodeSpec> = {}): NodeSpec => ({ id: 'chat/laptop', url, models: ['m'], settings: {}, ...more })
const ready = { '/health': 'health-ready', '/v1/models': 'v1-models', '/props': 'props' }
const loading = { '/health': 'health-loading', '/v1/models': 'v1-models-loading' }

async function backendAt(routes: Record<string, string>, suffix = '', more: Partial<NodeSpec> = {}) {
  server = await startRecordedServer(routes)
  return plugin.createBackend(specOf(server.url + suffix, more), fetchingHost)
}

describe('probing a llama-server, with answers recorded from a real one', () => {
  it.each(['', '/v1'])('finds it ready, with its model and build (URL ending %j)', async (suffix) => {
    const backend = await backendAt(ready, suffix)
    expect(await backend.probe(signal())).toEqual({ verdict: 'ready', models: ['tiny.gguf'], version: 'b10573-3f545becc' })
  })

  it('says loading while the model file is read, and ready afterwards', async () => {
    const backend = await backendAt(loading)
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'loading' })
    server!.routes = ready
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'ready' })
  })

  it('asks for the build once, and never for slots or metrics', async () => {
    const backend = await backendAt(ready)
    for (let turn = 0; turn < 3; turn++) await backend.probe(signal())
    const paths = server!.heads.map((head) => head.split(' ')[1])
    expect(paths.filter((path) => path === '/props')).toHaveLength(1)
    expect(new Set(paths)).toEqual(new Set(['/health', '/v1/models', '/props']))
    expect(backend.minProbeIntervalMs).toBeGreaterThanOrEqual(1500)
  })

  it('is sick when the key is refused: /health alone would not notice', async () => {
    const backend = await backendAt({ '/health': 'apikey-none_health', '/v1/models': 'apikey-none_v1_models' })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'sick' })
  })

  it('sends the key', async () => {
    const backend = await backendAt(ready, '', { apiKey: 'sekret' })
    await backend.probe(signal())
    const list = server!.heads.find((head) => head.startsWith('GET /v1/models'))
    expect(list?.toLowerCase()).toContain('authorization: bearer sekret')
  })

  it('is sick where something else listens', async () => {
    const backend = await backendAt({})
    expect(await backend.probe(signal())).toEqual({ verdict: 'sick', reason: '/health answered 404; is this a llama-server?' })
  })

  it('throws when nothing listens, which core counts as sick', async () => {
    const backend = await backendAt(ready)
    await server!.close()
    await expect(backend.probe(signal())).rejects.toThrow()
    server = undefined
  })
})

describe('the dialect of llama-server', () => {
  const { dialect } = plugin.createBackend(specOf('http://127.0.0.1:8080'), fetchingHost)

  it('reads recorded refusals: loading is loading, malformed JSON is the fault of the client', () => {
    expect(dialect.classify(503, {}, recorded('chat-loading').body)).toBe('loading')
    expect(dialect.classify(500, {}, recorded('error-bad-json').body)).toBe('client')
    expect(dialect.classify(200, {}, '')).toBe('ok')
  })

  it('keeps the header away that makes a stream outlive its client', () => {
    expect(dialect.headers.strip).toContain('x-conversation-id')
  })

  it('speaks /v1 below the server, also where the URL has it already', () => {
    expect(dialect.paths['openai-chat']).toBe('/v1/chat/completions')
    const pasted = plugin.createBackend(specOf('http://127.0.0.1:8080/v1'), fetchingHost)
    expect(pasted.dialect.paths['openai-chat']).toBe('/chat/completions')
  })
})

describe('detecting a llama-server', () => {
  it('finds one that runs, with its models', async () => {
    server = await startRecordedServer(ready)
    expect(await detect(fetchingHost, server.url)).toMatchObject({ found: true, url: server.url, models: ['tiny.gguf'] })
  })

  it('finds one that still loads, and one that asks for a key', async () => {
    server = await startRecordedServer(loading)
    expect(await detect(fetchingHost, server.url)).toMatchObject({ found: true, url: server.url })
    server.routes = { '/v1/models': 'apikey-none_v1_models' }
    expect(await detect(fetchingHost, server.url)).toMatchObject({ found: true, detail: expect.stringContaining('API key') })
  })

  it('takes no other server for one', async () => {
    server = await startRecordedServer({ '/v1/models': 'health-ready' })
    expect((await detect(fetchingHost, server.url)).url).toBeUndefined()
  })
})
