import { afterEach, describe, expect, it } from 'vitest'
import type { NodeSpec } from '@plimsoll/core/plugin'
import { detect, ollamaUrl } from './detect.js'
import { fetchingHost } from './fetching-host.test.fixture.js'
import { plugin } from './index.js'
import { canonicalName, servedNames } from './model-names.js'
import { type ScriptedServer, startScriptedServer } from './scripted-server.test.fixture.js'

let server: ScriptedServer | undefined
afterEach(() => server?.close())

const signal = () => AbortSignal.timeout(10_000)
const specOf = (url: string, more: Partial<NodeSpec> = {}): NodeSpec => ({
  id: 'chat/here',
  url,
  models: ['llama3.2'],
  settings: {},
  ...more,
})
/** Shapes from Ollama's source at fb307609; not recorded from a running server. */
const tag = (name: string) => ({ name, model: name, modified_at: '2026-08-01T00:00:00Z', size: 1, digest: 'd', details: {} })
const ready: ScriptedServer['answers'] = {
  '/api/version': [200, '{"version":"0.33.0"}'],
  '/api/tags': [200, JSON.stringify({ models: [tag('llama3.2:latest'), tag('qwen3:4b')] })],
}

async function backendAt(answers: ScriptedServer['answers'], suffix = '', more: Partial<NodeSpec> = {}) {
  server = await startScriptedServer(answers)
  return plugin.createBackend(specOf(server.url + suffix, more), fetchingHost)
}

describe('probing Ollama', () => {
  it.each(['', '/v1'])('finds it ready, with the names that it answers to (URL ending %j)', async (suffix) => {
    const backend = await backendAt(ready, suffix)
    expect(await backend.probe(signal())).toEqual({
      verdict: 'ready',
      models: ['llama3.2:latest', 'llama3.2', 'qwen3:4b'],
      version: '0.33.0',
    })
  })

  it('says how to get a model that is not pulled', async () => {
    const backend = await backendAt(ready, '', { model: 'gemma3:4b' })
    expect(await backend.probe(signal())).toEqual({ verdict: 'sick', reason: 'gemma3:4b is not pulled there; run: ollama pull gemma3:4b' })
  })

  it('knows its model with and without the tag, in any case', async () => {
    const backend = await backendAt(ready, '', { model: 'Llama3.2' })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'ready' })
  })

  it.each([
    [{ '/api/version': [200, '<html>'] }],
    [{ '/api/version': [403, ''] }],
    [{ ...ready, '/api/tags': [500, '{"error":"x"}'] }],
    [{ ...ready, '/api/tags': [200, '{"models":null}'] }],
  ] as const)('is sick at %j', async (answers) => {
    const backend = await backendAt(answers)
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'sick' })
  })

  it('never asks for a generation', async () => {
    const backend = await backendAt(ready)
    await backend.probe(signal())
    expect(server!.asked.map(({ path }) => path)).toEqual(['/api/version', '/api/tags'])
  })
})

describe('the dialect of Ollama', () => {
  const { dialect } = plugin.createBackend(specOf('http://127.0.0.1:11434'), fetchingHost)

  it('tries another node for a model that this one has not pulled', () => {
    expect(dialect.classify(404, {}, `{"error":{"message":"model 'x' not found","type":"not_found_error","param":null,"code":null}}`)).toBe(
      'retry',
    )
  })

  it('pauses a node whose load queue is full', () => {
    const body = '{"error":{"message":"server busy, please try again.  maximum pending requests exceeded","type":"api_error"}}'
    expect(dialect.classify(503, {}, body)).toBe('cooldown')
  })
})

describe('names of models', () => {
  it('mean :latest without a tag, also behind a registry with a port', () => {
    expect(canonicalName('Llama3.2')).toBe('llama3.2:latest')
    expect(canonicalName('reg.local:5000/team/m')).toBe('reg.local:5000/team/m:latest')
    expect(canonicalName('qwen3:4b')).toBe('qwen3:4b')
    expect(servedNames(['a:latest', 'a', 'b:1'])).toEqual(['a:latest', 'a', 'b:1'])
  })
})

describe('detecting Ollama', () => {
  it('finds one that runs', async () => {
    server = await startScriptedServer(ready)
    expect(await detect(fetchingHost, server.url)).toMatchObject({
      found: true,
      url: server.url,
      version: '0.33.0',
      models: ['llama3.2:latest', 'qwen3:4b'],
    })
  })

  it.each([
    [undefined, 'http://127.0.0.1:11434'],
    ['', 'http://127.0.0.1:11434'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['"0.0.0.0:9999"', 'http://127.0.0.1:9999'],
    ['gpu.local', 'http://gpu.local:11434'],
    ['http://gpu.local', 'http://gpu.local:80'],
    ['https://gpu.local/ollama/', 'https://gpu.local:443/ollama'],
    ['::: nonsense', 'http://127.0.0.1:11434'],
  ])('reads OLLAMA_HOST=%s as %s', (value, url) => {
    expect(ollamaUrl(value)).toBe(url)
  })
})
