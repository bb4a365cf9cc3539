import { afterEach, describe, expect, it } from 'vitest'
import type { NodeSpec } from '@plimsoll/core/plugin'
import { detect } from './detect.js'
import { fetchingHost } from './fetching-host.test.fixture.js'
import { plugin } from './index.js'
import { type ScriptedServer, startScriptedServer } from './scripted-server.test.fixture.js'

let server: ScriptedServer | undefined
afterEach(() => server?.close())

const signal = () => AbortSignal.timeout(10_000)
const specOf = (url: string, more: Partial<NodeSpec> = {}): NodeSpec => ({ id: 'chat/gpu', url, models: ['m'], settings: {}, ...more })
/** Shapes from vLLM's source at 5eaa70dac; not recorded from a running server. */
const model = {
  id: 'Qwen/Qwen3-4B',
  object: 'model',
  created: 1,
  owned_by: 'vllm',
  root: 'Qwen/Qwen3-4B',
  parent: null,
  max_model_len: 8192,
  permission: [],
}
const ready: ScriptedServer['answers'] = {
  '/health': [200, ''],
  '/v1/models': [200, JSON.stringify({ object: 'list', data: [model] })],
  '/version': [200, '{"version":"0.19.0"}'],
}

async function backendAt(answers: ScriptedServer['answers'], suffix = '', more: Partial<NodeSpec> = {}) {
  server = await startScriptedServer(answers)
  return plugin.createBackend(specOf(server.url + suffix, more), fetchingHost)
}

describe('probing vLLM', () => {
  it.each(['', '/v1'])('finds it ready, with models and version (URL ending %j)', async (suffix) => {
    const backend = await backendAt(ready, suffix)
    expect(await backend.probe(signal())).toEqual({ verdict: 'ready', models: ['Qwen/Qwen3-4B'], version: '0.19.0' })
  })

  it('asks for the version once and sends the key where it is needed', async () => {
    const backend = await backendAt(ready, '', { apiKey: 'sekret' })
    for (let turn = 0; turn < 3; turn++) await backend.probe(signal())
    expect(server!.asked.filter(({ path }) => path === '/version')).toHaveLength(1)
    expect(server!.asked.find(({ path }) => path === '/v1/models')?.authorization).toBe('Bearer sekret')
  })

  it('is sick when the engine behind the server is dead', async () => {
    const backend = await backendAt({ ...ready, '/health': [503, ''] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'sick', reason: expect.stringContaining('dead') })
  })

  it('is loading while it scales', async () => {
    const scaling = '{"error":"The model is currently scaling. Please try again later."}'
    const backend = await backendAt({ ...ready, '/health': [503, scaling] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'loading' })
    expect(backend.dialect.classify(503, {}, scaling)).toBe('cooldown')
  })

  it('is sick when the key is refused', async () => {
    const backend = await backendAt({ ...ready, '/v1/models': [401, '{"error":"Unauthorized"}'] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'sick' })
  })

  it('is ready without a version when /version is not there', async () => {
    const { '/version': _, ...rest } = ready
    const backend = await backendAt(rest)
    expect(await backend.probe(signal())).toEqual({ verdict: 'ready', models: ['Qwen/Qwen3-4B'] })
  })
})

const chunk = (reason: string | null) =>
  `data: {"choices":[{"index":0,"delta":{},"finish_reason":${JSON.stringify(reason)}}]}\n\ndata: [DONE]\n\n`

describe('the dialect of vLLM', () => {
  const { dialect } = plugin.createBackend(specOf('http://gpu:8000'), fetchingHost)

  it('takes a stream that a shutdown ended in good form for what it is', () => {
    expect(dialect.streamEnd(chunk('abort'))).toBe('error')
    expect(dialect.streamEnd(chunk('stop'))).toBe('complete')
    expect(dialect.streamEnd('data: {"choices":[]}\n\n')).toBe('cut')
  })

  it('takes an error event before [DONE] for an error', () => {
    expect(dialect.streamEnd('data: {"error":{"message":"EngineDeadError","code":500}}\n\ndata: [DONE]\n\n')).toBe('error')
  })
})

describe('detecting vLLM', () => {
  it('finds one that runs, with version and models', async () => {
    server = await startScriptedServer(ready)
    expect(await detect(fetchingHost, server.url)).toEqual({
      found: true,
      url: server.url,
      version: '0.19.0',
      models: ['Qwen/Qwen3-4B'],
      detail: `vLLM 0.19.0 runs at ${server.url}`,
    })
  })

  it('takes no other server for one', async () => {
    server = await startScriptedServer({ '/version': [200, 'hello'] })
    expect((await detect(fetchingHost, server.url)).url).toBeUndefined()
  })
})
