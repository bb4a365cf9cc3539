import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ollamaDialect } from './dialect.js'
import { attached, launched, soon } from './spec.test.fixture.js'

interface Recorded {
  readonly raw: Buffer
  readonly status: number
  readonly body: string
  /** Events of a stream, without the framing of chunks. */
  readonly events: string
}

/** The response of one recorded exchange; see fixtures/README.md. */
function recorded(name: string): Recorded {
  const file = readFileSync(new URL(`fixtures/${name}.http`, import.meta.url))
  const mark = '<<< response\n'
  const raw = file.subarray(file.indexOf(mark) + mark.length, file.lastIndexOf('\n\n# timing'))
  const body = raw.subarray(raw.indexOf('\r\n\r\n') + 4).toString()
  return {
    raw,
    status: Number(raw.toString('latin1', 9, 12)),
    body,
    events: body.replaceAll(/^[0-9a-f]+\r\n|\r\n(?=[0-9a-f]+\r\n|$)/gm, ''),
  }
}

let server: Server
let url: string
/** Path to the recorded exchange that answers it. */
let routes: Record<string, string>

beforeEach(async () => {
  routes = { '/api/version': 'version', '/api/tags': 'tags', '/api/ps': 'ps-loaded', '/api/generate': 'generate-load' }
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (data) => socket.end(recorded(routes[data.toString().split(' ')[1] ?? ''] ?? 'host-guard').raw))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => new Promise((resolve) => server.close(resolve)))

describe('a real Ollama, replayed', () => {
  it('is ready with its model in memory', async () => {
    const ready = { verdict: 'ready', models: ['tiny:latest', 'tiny'], version: '0.33.0-rc2' }
    expect(await attached(url, { model: 'tiny' }).probe(soon())).toEqual(ready)
    expect(await launched(url, {}, { models: ['tiny'] }).probe(soon())).toEqual(ready)
  })

  it('is loading before that', async () => {
    routes['/api/ps'] = 'ps-empty'
    expect(await launched(url, {}, { models: ['tiny'] }).probe(soon())).toEqual({ verdict: 'loading', reason: 'loading tiny into memory' })
  })

  it('tells what it has and its load', async () => {
    const backend = launched(url, {}, { models: ['tiny'] })
    expect(await backend.models?.list?.(soon())).toEqual([
      {
        name: 'tiny:latest',
        sizeBytes: 784_469,
        contentHash: 'sha256:e910ae762cd6b0093ea327ef4075c0a3dbd813cfb7ac016b9fe77559835b20c5',
        contextTokens: 4096,
        memoryBytes: 9_175_038,
        acceleratorBytes: 587_202,
        loaded: true,
      },
    ])
    expect(await backend.load?.(soon())).toEqual({ loadedModels: ['tiny:latest'], contextTokens: 4096 })
  })

  it('loads and unloads', async () => {
    const { models } = launched(url)
    await models?.load?.('tiny', soon())
    Object.assign(routes, { '/api/generate': 'generate-unload', '/api/ps': 'ps-empty' })
    await models?.unload?.('tiny', soon())
    routes['/api/generate'] = 'generate-no-such-model'
    await expect(models?.load?.('nope', soon())).rejects.toThrow("nope cannot be loaded: model 'nope' not found")
  })

  it('takes -1 as a text for no duration, which is why a number is sent', () => {
    expect(recorded('generate-keep-alive-text')).toMatchObject({
      status: 400,
      body: expect.stringContaining('missing unit in duration') as string,
    })
  })

  it('says as a line behind status 200 that a pull failed', async () => {
    routes['/api/pull'] = 'pull-no-network'
    const pulling = launched(url).models?.pull?.('llama3.2', { signal: soon(), onProgress: () => undefined })
    await expect(pulling).rejects.toMatchObject({
      message: expect.stringContaining('no such host') as string,
      hint: expect.stringContaining('HTTPS_PROXY') as string,
    })
  })

  it('refuses a Host that is not its own, with an empty 403', async () => {
    routes['/api/version'] = 'host-guard'
    expect(await attached(url).probe(soon())).toMatchObject({ verdict: 'sick', reason: /host name/ })
  })

  it('ignores keep_alive and options on its OpenAI face: the model stays, with its context', () => {
    expect(recorded('chat-keep-alive-ignored').status).toBe(200)
    const after = JSON.parse(recorded('ps-after-ignored').body) as { models: { expires_at: string; context_length: number }[] }
    expect(after.models).toMatchObject([{ context_length: 4096, expires_at: expect.stringMatching(/^23/) as string }])
  })

  it('still lists a model whose process was killed: nothing but the next request finds out', () => {
    expect(JSON.parse(recorded('ps-after-kill').body)).toMatchObject({ models: [{ name: 'tiny:latest' }] })
    expect(recorded('chat-after-kill').status).toBe(200)
  })

  const dialect = ollamaDialect('http://127.0.0.1:11434')

  it.each([
    ['ok', 'chat'],
    ['retry', 'chat-no-such-model'],
    ['client', 'chat-bad-json'],
    ['client', 'embeddings'],
    ['retry', 'host-guard'],
  ])('means %s by %s', (meaning, name) => {
    const { status, body } = recorded(name)
    expect(dialect.classify(status, {}, body)).toBe(meaning)
  })

  it('ends a stream with [DONE], and one that failed with an empty chunk', () => {
    expect(dialect.streamEnd(recorded('chat-stream').events)).toBe('complete')
    const { events } = recorded('chat-stream-killed')
    expect(events).toMatch(/"model":""[^\n]*"content":""[^\n]*\s*$/)
    expect(dialect.streamEnd(events)).toBe('cut')
  })
})
