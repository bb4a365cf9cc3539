import { afterEach, describe, expect, it } from 'vitest'
import { type ScriptedOllama, startScriptedOllama } from './scripted-ollama.test.fixture.js'
import { attached, soon } from './spec.test.fixture.js'

let server: ScriptedOllama | undefined
afterEach(() => server?.close())

async function serving(...models: string[]): Promise<ScriptedOllama> {
  server = await startScriptedOllama(...models)
  return server
}

describe('probing an attached Ollama', () => {
  it.each(['', '/v1'])('finds it ready, with the names that it answers to (URL ending %j)', async (suffix) => {
    const { url } = await serving('llama3.2:latest', 'qwen3:4b')
    expect(await attached(url + suffix).probe(soon())).toEqual({
      verdict: 'ready',
      models: ['llama3.2:latest', 'llama3.2', 'qwen3:4b'],
      version: '0.33.0',
    })
  })

  it('says how to get a model that is not pulled', async () => {
    const { url } = await serving('llama3.2:latest')
    expect(await attached(url, { model: 'gemma3:4b' }).probe(soon())).toEqual({
      verdict: 'sick',
      reason: 'gemma3:4b is not pulled there; run: lb models pull gemma3:4b',
    })
  })

  it('knows its model with and without the tag, in any case', async () => {
    const { url } = await serving('llama3.2:latest')
    expect(await attached(url, { model: 'Llama3.2' }).probe(soon())).toMatchObject({ verdict: 'ready' })
  })

  it('does not take a cloud entry for a model that it has', async () => {
    const { url } = await serving('llama3.2:latest')
    server!.add('gpt-oss:120b-cloud', { remoteHost: 'https://ollama.com:443' })
    expect(await attached(url).probe(soon())).toMatchObject({ models: ['llama3.2:latest', 'llama3.2'] })
    expect(await attached(url, { model: 'gpt-oss:120b-cloud' }).probe(soon())).toMatchObject({ verdict: 'sick', reason: /cloud/ })
  })

  it.each([
    [{ '/api/version': [200, '<html>'] }, /is this an Ollama/],
    [{ '/api/version': [403, ''] }, /host name 127/],
    [{ '/api/version': [401, '{}'] }, /key is missing/],
    [{ '/api/tags': [500, '{"error":"x"}'] }, /no list/],
    [{ '/api/tags': [200, '{"models":null}'] }, /no list/],
    [{ '/api/tags': [200, '[]'] }, /no list/],
  ] as const)('is sick at %j', async (answers, reason) => {
    const { url } = await serving('llama3.2:latest')
    Object.assign(server!.answers, answers)
    expect(await attached(url).probe(soon())).toMatchObject({ verdict: 'sick', reason })
  })

  it('takes entries that are no entries for nothing', async () => {
    const { url } = await serving()
    server!.answers['/api/tags'] = [200, '{"models":[null,3,{"name":7},{"name":"a:1","size":-4,"digest":9,"details":null}]}']
    expect(await attached(url).probe(soon())).toMatchObject({ verdict: 'ready', models: ['a:1'] })
  })

  it('changes nothing there: it never generates, loads or pulls', async () => {
    const { url } = await serving('llama3.2:latest')
    const backend = attached(url, { model: 'llama3.2' })
    await backend.probe(soon())
    await backend.load?.(soon())
    expect(new Set(server!.paths())).toEqual(new Set(['/api/version', '/api/tags', '/api/ps']))
    expect(backend.drain).toBeUndefined()
  })

  it('sends the key that a proxy in front of it wants', async () => {
    const { url } = await serving('llama3.2:latest')
    await attached(url, { apiKey: 'k' }).probe(soon())
    expect(server!.asked.every(({ authorization }) => authorization === 'Bearer k')).toBe(true)
  })
})

describe('the load of an Ollama', () => {
  it('is what is in memory and its context; no count of requests exists there', async () => {
    const { url } = await serving('llama3.2:latest')
    server!.loaded.set('llama3.2:latest', { size: 3, vram: 3, context: 8192 })
    server!.loaded.set('other:1', { size: 3, vram: 3, context: 2048 })
    expect(await attached(url, { model: 'llama3.2' }).load?.(soon())).toEqual({
      loadedModels: ['llama3.2:latest', 'other:1'],
      contextTokens: 8192,
    })
  })
})
