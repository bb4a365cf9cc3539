import { fetchingHost } from '@plimsoll/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { NodeSpec } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { type RecordedServer, type Routes, startRecordedServer } from './recorded-server.test.fixture.js'
import type { LlamacppSettings } from './settings.js'

let server: RecordedServer | undefined
afterEach(() => server?.close())

const signal = () => AbortSignal.timeout(10_000)
type Spec = NodeSpec<LlamacppSettings>
const specOf = (url: string, more: Partial<Spec> = {}): Spec => ({ id: 'chat/laptop', url, models: ['m'], settings: {}, ...more })
const ready = { '/health': 'health-ready', '/v1/models': 'v1-models', '/props': 'props' }
const loading = { '/health': 'health-loading', '/v1/models': 'v1-models-loading' }

async function backendAt(routes: Routes, suffix = '', more: Partial<Spec> = {}) {
  server = await startRecordedServer(routes)
  return createBackend(specOf(server.url + suffix, more), fetchingHost)
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

describe('the models that a probe sees', () => {
  const list = (...rows: readonly unknown[]) => ({ status: 200, body: JSON.stringify({ object: 'list', data: rows }) })

  it('any name is fine at a server with one model, unless the topology says which it must be', async () => {
    const backend = await backendAt(ready, '', { models: ['anything'] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'ready' })
    const wrong = createBackend(specOf(server!.url, { model: 'other.gguf' }), fetchingHost)
    expect(await wrong.probe(signal())).toEqual({ verdict: 'sick', reason: 'it has `tiny.gguf`, not `other.gguf`' })
    const right = createBackend(specOf(server!.url, { model: 'tiny.gguf' }), fetchingHost)
    expect(await right.probe(signal())).toMatchObject({ verdict: 'ready' })
  })

  it('aliases are names too', async () => {
    const backend = await backendAt({ ...ready, '/v1/models': list({ id: 'a', aliases: ['a', 'b'] }) }, '', { model: 'b' })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'ready', models: ['a', 'b'] })
  })

  it.each(['', 'null', '{"data":7}', '[]', '<html>'])('a list that is none is sick: %j', async (body) => {
    const backend = await backendAt({ ...ready, '/v1/models': { status: 200, body } })
    expect(await backend.probe(signal())).toEqual({ verdict: 'sick', reason: '/v1/models holds no model list' })
  })

  it('rows that make no sense are passed over', async () => {
    const backend = await backendAt({ ...ready, '/v1/models': list(null, 7, { id: 5 }, { id: 'a', aliases: 'b', status: 3 }) })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'ready', models: ['a'] })
  })

  it('a closed /props leaves the version out, not the node', async () => {
    const backend = await backendAt({ '/health': 'health-ready', '/v1/models': 'v1-models', '/props': { status: 501, body: '{}' } })
    expect(await backend.probe(signal())).toEqual({ verdict: 'ready', models: ['tiny.gguf'] })
  })
})

describe('probing a router', () => {
  const router = { '/health': 'health-ready', '/v1/models': 'router-models-unloaded', '/props': 'router-props' }
  const row = (id: string, value: string, more = {}) => ({ id, aliases: [], status: { value, ...more } })
  const list = (...rows: readonly unknown[]) => ({ status: 200, body: JSON.stringify({ data: rows }) })
  const lazy = { status: 200, body: '{"role":"router","models_autoload":false}' }

  it('is ready with nothing in memory, for it loads on demand', async () => {
    const backend = await backendAt(router, '', { models: ['model-a'] })
    expect(await backend.probe(signal())).toEqual({
      verdict: 'ready',
      models: ['model-a', 'model-b', 'model-c'],
      version: 'b10573-3f545becc',
    })
  })

  it('is sick without a model that this node is for: such a name would be refused', async () => {
    const backend = await backendAt(router, '', { models: ['qwen'] })
    expect(await backend.probe(signal())).toEqual({ verdict: 'sick', reason: 'it has `model-a`, `model-b`, `model-c`, not `qwen`' })
  })

  it('serves while its model is swapped in, for it holds the request, and not while the files are fetched', async () => {
    const backend = await backendAt({ ...router, '/v1/models': list(row('a', 'loading'), row('b', 'loaded')) }, '', { models: ['a'] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'ready' })
    server!.routes['/v1/models'] = list(row('a', 'downloading'))
    expect(await backend.probe(signal())).toEqual({ verdict: 'loading', reason: 'downloading a' })
    const patient = await backendAt({ ...router, '/props': lazy, '/v1/models': list(row('a', 'loading')) }, '', { models: ['a'] })
    expect(await patient.probe(signal())).toEqual({ verdict: 'loading', reason: 'loading a' })
  })

  it('that loads nothing by itself waits for its model', async () => {
    const away = list(row('a', 'unloaded', { failed: true, exit_code: 1 }))
    const backend = await backendAt({ ...router, '/props': lazy, '/v1/models': away }, '', { models: ['a'] })
    expect(await backend.probe(signal())).toEqual({
      verdict: 'loading',
      reason: 'a is not in memory (it ended by itself), and this router loads nothing by itself',
    })
    server!.routes['/v1/models'] = list(row('a', 'sleeping'))
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'ready' })
  })
})
