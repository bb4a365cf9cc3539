import { afterEach, describe, expect, it } from 'vitest'
import type { Backend, ProbeReport } from '@plimsoll/core/plugin'
import { digestOf, type ScriptedOllama, startScriptedOllama } from './scripted-ollama.test.fixture.js'
import { launched, soon } from './spec.test.fixture.js'

let server: ScriptedOllama
afterEach(() => server.close())

async function until(backend: Backend, verdict: ProbeReport['verdict']): Promise<ProbeReport> {
  let report: ProbeReport | undefined
  await expect.poll(async () => (report = await backend.probe(soon())).verdict, { timeout: 10_000, interval: 5 }).toBe(verdict)
  return report as ProbeReport
}

const asked = (path: string) => server.asked.filter((each) => each.path === path)

describe('a launched Ollama on its way', () => {
  it('is not ready because it answers: it pulls, then loads, and says so', async () => {
    server = await startScriptedOllama()
    const load = Promise.withResolvers<void>()
    server.loading = () => load.promise
    const backend = launched(server.url)
    expect(await backend.probe(soon())).toEqual({ verdict: 'loading', reason: 'pulling llama3.2' })
    await expect
      .poll(async () => (await backend.probe(soon())) as object, { timeout: 10_000 })
      .toEqual({ verdict: 'loading', reason: 'loading llama3.2 into memory' })
    load.resolve()
    expect(await until(backend, 'ready')).toEqual({ verdict: 'ready', models: ['llama3.2:latest', 'llama3.2'], version: '0.33.0' })
    expect(asked('/api/pull')).toHaveLength(1)
    expect(asked('/api/generate')).toHaveLength(1)
  })

  it('tells how far a pull has come', async () => {
    server = await startScriptedOllama()
    const gates = new Map<number, PromiseWithResolvers<void>>([2, 5].map((index) => [index, Promise.withResolvers<void>()]))
    server.afterPullLine = (index) => gates.get(index)?.promise ?? Promise.resolve()
    const backend = launched(server.url)
    const seen = () => expect.poll(() => backend.probe(soon()), { timeout: 10_000, interval: 5 })
    await seen().toEqual({ verdict: 'loading', reason: 'pulling llama3.2', progress: 0.25 })
    gates.get(2)?.resolve()
    await seen().toEqual({ verdict: 'loading', reason: 'pulling llama3.2: verifying sha256 digest', progress: 1 })
    gates.get(5)?.resolve()
    await until(backend, 'ready')
  })

  it('keeps a load although its probes are given up, and begins no second one', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    const load = Promise.withResolvers<void>()
    server.loading = () => load.promise
    const backend = launched(server.url)
    const given = new AbortController()
    await backend.probe(given.signal)
    given.abort(new Error('no answer to a probe within 5 ms'))
    await expect.poll(() => asked('/api/generate').length).toBe(1)
    for (let probes = 0; probes < 5; probes += 1) expect(await backend.probe(soon())).toMatchObject({ verdict: 'loading' })
    load.resolve()
    await until(backend, 'ready')
    expect(server.abortedLoads).toBe(0)
    expect(asked('/api/generate')).toHaveLength(1)
  })

  it('asks for a load with nothing that could differ from later requests, and keeps it for ever', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    await until(launched(server.url), 'ready')
    expect(asked('/api/generate')[0]?.body).toEqual({ model: 'llama3.2', keep_alive: -1, stream: false })
  })

  it.each([
    ['30m', '30m'],
    ['-1', -1],
    [600, 600],
  ])('says keepAlive %j as Ollama reads it in a request: %j', async (keepAlive, said) => {
    server = await startScriptedOllama('llama3.2:latest')
    await until(launched(server.url, { keepAlive }), 'ready')
    expect(asked('/api/generate')[0]?.body).toMatchObject({ keep_alive: said })
  })

  it('fetches nothing where pull is never, and says how it gets there', async () => {
    server = await startScriptedOllama()
    expect(await launched(server.url, { pull: 'never' }).probe(soon())).toEqual({
      verdict: 'sick',
      reason: 'llama3.2 is not pulled there; lb models pull llama3.2 fetches it',
    })
    expect(asked('/api/pull')).toHaveLength(0)
  })

  it('fetches a newer one once where pull is always', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    await until(launched(server.url, { pull: 'always' }), 'ready')
    expect(asked('/api/pull')).toHaveLength(1)
  })

  it('goes on with the old one where a newer one cannot be had', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    server.pullLines = () => [{ error: 'dial tcp: lookup registry.ollama.ai: no such host' }]
    await until(launched(server.url, { pull: 'always' }), 'ready')
    expect(asked('/api/pull')).toHaveLength(1)
  })

  it('is ready without a load where preload is off', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    expect(await launched(server.url, { preload: false }).probe(soon())).toMatchObject({ verdict: 'ready' })
    expect(asked('/api/generate')).toHaveLength(0)
  })

  it('loads each of several models once, and lets the server choose which stay', async () => {
    server = await startScriptedOllama('a:1', 'b:1')
    const backend = launched(server.url, {}, { models: ['a:1', 'b:1'] })
    await until(backend, 'ready')
    server.loaded.delete('a:1')
    expect(await backend.probe(soon())).toMatchObject({ verdict: 'ready' })
    expect(asked('/api/generate').map(({ body }) => body['model'])).toEqual(['a:1', 'b:1'])
  })

  it('stops loading more models when one has to go for another', async () => {
    const models = ['a:1', 'b:1', 'c:1', 'd:1']
    server = await startScriptedOllama(...models)
    server.maxLoaded = 2
    await until(launched(server.url, {}, { models }), 'ready')
    expect(asked('/api/generate').map(({ body }) => body['model'])).toEqual(['a:1', 'b:1', 'c:1'])
  })

  it('serves what it has when another model does not load', async () => {
    server = await startScriptedOllama('a:1', 'b:1')
    server.loading = () =>
      Promise.resolve((server.loadFails = server.loaded.has('a:1') ? [500, '{"error":"model requires more system memory"}'] : undefined))
    expect(await until(launched(server.url, {}, { models: ['a:1', 'b:1'] }), 'ready')).toMatchObject({ models: ['a:1', 'b:1'] })
    expect([...server.loaded.keys()]).toEqual(['a:1'])
  })

  it('loads again what left memory, for example because its process died', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    const backend = launched(server.url)
    await until(backend, 'ready')
    server.loaded.clear()
    expect(await backend.probe(soon())).toMatchObject({ verdict: 'loading', reason: 'loading llama3.2 into memory' })
    await until(backend, 'ready')
  })

  it('pulls and loads the weights that are named, and asks for them in requests', async () => {
    server = await startScriptedOllama()
    const backend = launched(server.url, {}, { models: ['chat'], weights: 'qwen3:4b' })
    expect(backend.modelName).toBe('qwen3:4b')
    await until(backend, 'ready')
    expect([...server.loaded.keys()]).toEqual(['qwen3:4b'])
  })

  it('says when requests would ask for another name than the weights have', async () => {
    server = await startScriptedOllama()
    const backend = launched(server.url, {}, { model: 'mine', weights: 'qwen3:4b' })
    expect(await until(backend, 'sick')).toMatchObject({
      reason: /mine is not pulled there; requests ask for it because `model` says so; it has qwen3:4b/,
    })
  })
})

describe('what goes wrong on the way', () => {
  it.each([
    [
      [{ status: 'pulling manifest' }, { error: 'pull model manifest: file does not exist' }],
      /cannot be pulled.*file does not exist.*ollama\.com\/search/,
    ],
    [[{ error: 'dial tcp: lookup registry.ollama.ai: no such host' }], /no such host.*HTTPS_PROXY/],
    [[{ status: 'pulling manifest' }, { error: 'write /m: no space left on device' }], /no space left.*larger disk/],
    [[{ status: 'pulling manifest' }], /ended its answer before it said success/],
  ])('a pull that says %j', async (lines, reason) => {
    server = await startScriptedOllama()
    server.pullLines = () => lines
    const report = await until(launched(server.url), 'sick')
    expect(report).toMatchObject({ reason })
    expect(asked('/api/pull')).toHaveLength(1)
  })

  it('a load that fails says why and what to do, and is not tried again at once', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    server.loadFails = [500, '{"error":"model requires more system memory (9.1 GiB) than is available (3.0 GiB)"}']
    const backend = launched(server.url)
    expect(await until(backend, 'sick')).toMatchObject({ reason: /requires more system memory.*kvCacheType: q8_0.*tried once/ })
    for (let probes = 0; probes < 5; probes += 1) await backend.probe(soon())
    expect(asked('/api/generate')).toHaveLength(1)
  })
})

describe('draining a launched Ollama', () => {
  it('has the model leave, and is empty when its last request has ended', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    const backend = launched(server.url)
    await until(backend, 'ready')
    server.busy = 1
    expect(await backend.drain?.isEmpty(soon())).toBe(false)
    expect(await backend.drain?.isEmpty(soon())).toBe(false)
    server.finishRequests()
    expect(await backend.drain?.isEmpty(soon())).toBe(true)
    expect(await backend.probe(soon())).toEqual({ verdict: 'loading', reason: 'emptied by its drain' })
  })

  it('brings the model back when the drain was taken back', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    const backend = launched(server.url)
    await until(backend, 'ready')
    await backend.drain?.isEmpty(soon())
    await until(backend, 'ready')
    expect([...server.loaded.keys()]).toEqual(['llama3.2:latest'])
  })
})

describe('the keeper of models', () => {
  it('lists what is there, with what is in memory', async () => {
    server = await startScriptedOllama('llama3.2:latest', 'qwen3:4b')
    server.add('far:cloud', { remoteHost: 'https://ollama.com:443' })
    server.loaded.set('qwen3:4b', { size: 3_000, vram: 0, context: 8192 })
    expect(await launched(server.url).models?.list?.(soon())).toEqual([
      {
        name: 'llama3.2:latest',
        sizeBytes: 2_000_000_000,
        contentHash: `sha256:${digestOf('llama3.2:latest')}`,
        contextTokens: 131_072,
        loaded: false,
      },
      {
        name: 'qwen3:4b',
        sizeBytes: 2_000_000_000,
        contentHash: `sha256:${digestOf('qwen3:4b')}`,
        contextTokens: 8192,
        memoryBytes: 3_000,
        acceleratorBytes: 0,
        loaded: true,
      },
    ])
  })

  it('pulls with progress over all parts, and gives the digest', async () => {
    server = await startScriptedOllama()
    const steps: string[] = []
    const onProgress = (progress: { step: string; doneBytes?: number; totalBytes?: number }) =>
      void steps.push(`${progress.doneBytes ?? '-'}/${progress.totalBytes ?? '-'}`)
    const result = await launched(server.url).models?.pull?.('qwen3:4b', { signal: soon(), onProgress })
    expect(result).toEqual({ contentHash: `sha256:${digestOf('qwen3:4b')}` })
    expect(steps).toEqual(['-/-', '0/1000', '250/1000', '1000/1000', '1024/1024', '1024/1024', '1024/1024', '1024/1024'])
  })

  it('ends a pull with its signal', async () => {
    server = await startScriptedOllama()
    server.afterPullLine = () => new Promise(() => undefined)
    const given = new AbortController()
    const pulling = launched(server.url).models?.pull?.('m', { signal: given.signal, onProgress: () => given.abort(new Error('enough')) })
    await expect(pulling).rejects.toThrow('enough')
  })

  it('names a refusal in words of the server', async () => {
    server = await startScriptedOllama()
    server.answers['/api/pull'] = [400, '{"error":"invalid model name"}']
    const pulling = launched(server.url).models?.pull?.('??', { signal: soon(), onProgress: () => undefined })
    await expect(pulling).rejects.toMatchObject({ code: 'LB_PULL_FAILED', message: '?? cannot be pulled: invalid model name' })
  })

  it('waits until an unloaded model is really gone', async () => {
    server = await startScriptedOllama('llama3.2:latest')
    const { models } = launched(server.url)
    await models?.load?.('llama3.2', soon())
    server.busy = 1
    const unloading = models?.unload?.('llama3.2', soon())
    await expect.poll(() => asked('/api/ps').length).toBeGreaterThan(0)
    expect([...server.loaded.keys()]).toEqual(['llama3.2:latest'])
    server.finishRequests()
    await unloading
    expect(server.loaded.size).toBe(0)
    await expect(models?.load?.('nope', soon())).rejects.toThrow("nope cannot be loaded: model 'nope' not found")
  })
})
