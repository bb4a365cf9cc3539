import { type ScriptedServer, fetchingHost, startScriptedServer } from '@plimsoll/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { NodeSpec } from '@plimsoll/core/plugin'
import { plugin } from './index.js'

let server: ScriptedServer | undefined
afterEach(() => server?.close())

const signal = () => AbortSignal.timeout(10_000)
const specOf = (url: string, more: Partial<NodeSpec> = {}): NodeSpec => ({
  id: 'chat/cloud',
  url,
  models: ['gpt-4o-mini'],
  settings: {},
  ...more,
})
const pathsAt = (url: string) => plugin.createBackend(specOf(url), fetchingHost).dialect.paths
const list = JSON.stringify({ object: 'list', data: [{ id: 'gpt-4o-mini', object: 'model', created: 1, owned_by: 'system' }] })

async function backendAt(answers: ScriptedServer['answers'], suffix = '', more: Partial<NodeSpec> = {}) {
  server = await startScriptedServer(answers)
  return plugin.createBackend(specOf(server.url + suffix, more), fetchingHost)
}

describe('an OpenAI-compatible server', () => {
  it.each([
    ['', '/v1/models'],
    ['/v1', '/v1/models'],
    ['/api/v1', '/api/v1/models'],
    ['/gateway', '/gateway/v1/models'],
  ])('attached at %j is probed at %s', async (suffix, path) => {
    const backend = await backendAt({ [path]: [200, list] }, suffix)
    expect(await backend.probe(signal())).toEqual({ verdict: 'ready', models: ['gpt-4o-mini'] })
  })

  it('is asked with the key', async () => {
    const backend = await backendAt({ '/v1/models': [200, list] }, '/v1', { apiKey: 'sk-1' })
    await backend.probe(signal())
    expect(server!.asked[0]?.authorization).toBe('Bearer sk-1')
  })

  it.each([
    [401, '{"error":{"message":"Incorrect API key provided"}}'],
    [404, 'not found'],
    [500, ''],
    [200, '<html>a login page</html>'],
  ])('is sick when it answers %i %j', async (status, body) => {
    const backend = await backendAt({ '/v1/models': [status, body] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'sick' })
  })

  it('has its faces below the version, once', () => {
    expect(pathsAt('https://api.openai.com/v1')).toEqual({
      'openai-chat': '/chat/completions',
      'openai-completions': '/completions',
      'openai-embeddings': '/embeddings',
      'openai-transcriptions': '/audio/transcriptions',
    })
    expect(pathsAt('http://host:8000')['openai-embeddings']).toBe('/v1/embeddings')
  })
})
