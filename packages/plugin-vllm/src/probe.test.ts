import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeSpec } from '@plimsoll/core/plugin'
import { type ScriptedServer, fetchingHost, startScriptedServer } from '@plimsoll/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { detect } from './detect.js'
import { EngineWatch } from './engine-watch.js'
import { plugin } from './index.js'
import { metricsPage } from './metrics.test.fixture.js'
import { attachedSpec, modelCard, modelList, specOf } from './node-spec.test.fixture.js'
import type { VllmSettings } from './settings.js'

let server: ScriptedServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const signal = () => AbortSignal.timeout(10_000)
const ready: ScriptedServer['answers'] = {
  '/health': [200, ''],
  '/v1/models': [200, modelList(modelCard('qwen3-4b'))],
  '/version': [200, '{"version":"0.19.0"}'],
  '/metrics': [200, metricsPage()],
}

async function attached(answers: ScriptedServer['answers'], suffix = '', more: Partial<NodeSpec<VllmSettings>> = {}) {
  server = await startScriptedServer(answers)
  return plugin.createBackend(attachedSpec(server.url + suffix, more), fetchingHost)
}

async function launched(answers: ScriptedServer['answers'], settings: VllmSettings = {}, nowMs?: () => number) {
  server = await startScriptedServer(answers)
  return new EngineWatch(specOf(settings, { url: server.url }), fetchingHost, nowMs)
}

/** A port of this machine where nothing listens. */
async function closedUrl(): Promise<string> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return `http://127.0.0.1:${port}`
}

describe('probing vLLM', () => {
  it.each(['', '/v1'])('finds it ready, with models and version (URL ending %j)', async (suffix) => {
    const backend = await attached(ready, suffix)
    expect(await backend.probe(signal())).toEqual({ verdict: 'ready', models: ['qwen3-4b'], version: '0.19.0' })
  })

  it('asks for the version once and sends the key where it is needed', async () => {
    const backend = await attached(ready, '', { apiKey: 'sekret' })
    for (let turn = 0; turn < 3; turn++) await backend.probe(signal())
    expect(server!.asked.filter(({ path }) => path === '/version')).toHaveLength(1)
    expect(server!.asked.find(({ path }) => path === '/v1/models')?.authorization).toBe('Bearer sekret')
  })

  it('takes a refused connection for loading where it launched the engine, until it was once up', async () => {
    const url = await closedUrl()
    const watch = new EngineWatch(specOf({}, { url }), fetchingHost)
    expect(await watch.probe(signal())).toMatchObject({ verdict: 'loading' })
    const up = await launched(ready)
    expect(await up.probe(signal())).toMatchObject({ verdict: 'ready' })
    await server!.close()
    server = undefined
    await expect(up.probe(signal())).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('takes it for what it is at an attached one', async () => {
    const backend = plugin.createBackend(attachedSpec(await closedUrl()), fetchingHost)
    await expect(backend.probe(signal())).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('is sick when the engine behind the server is dead', async () => {
    const backend = await attached({ ...ready, '/health': [503, ''] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'sick', reason: expect.stringContaining('dead') })
  })

  it('is loading while it scales', async () => {
    const backend = await attached({ ...ready, '/health': [503, '{"error":"The model is currently scaling. Please try again later."}'] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'loading' })
  })

  it('is loading while it scales with a good /health, as 0.33 does it; a retired rank is sick', async () => {
    const backend = await attached({ ...ready, '/v1/models': [503, '{"error":"The model is currently scaling. Please try again later."}'] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'loading' })
    server!.answers['/v1/models'] = [503, '{"error":"This data-parallel rank has been retired and is awaiting shutdown."}']
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'sick', reason: expect.stringContaining('retired') })
  })

  it('is sick when the key is refused', async () => {
    const backend = await attached({ ...ready, '/v1/models': [401, '{"error":"Unauthorized"}'] })
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'sick', reason: expect.stringContaining('key') })
  })

  it('is ready without a version when /version is not there', async () => {
    const { '/version': _, ...rest } = ready
    const backend = await attached(rest)
    expect(await backend.probe(signal())).toEqual({ verdict: 'ready', models: ['qwen3-4b'] })
  })

  it('is sick when a stranger answers on the port: another model, another context', async () => {
    const other = await launched({ ...ready, '/v1/models': [200, modelList(modelCard('llama'))] })
    expect(await other.probe(signal())).toEqual({ verdict: 'sick', reason: 'serves llama, not `qwen3-4b`' })
    await server!.close()
    const short = await launched(ready, { maxModelLen: 4096 })
    expect(await short.probe(signal())).toMatchObject({ verdict: 'sick', reason: expect.stringContaining('8192 tokens of context') })
  })

  it('is out while it sleeps, and notices that it wakes', async () => {
    const watch = await launched({ ...ready, '/metrics': [200, metricsPage({ asleep: true })] }, { sleepMode: true })
    expect(await watch.probe(signal())).toMatchObject({ verdict: 'loading', reason: expect.stringContaining('asleep') })
    server!.answers['/metrics'] = [200, metricsPage()]
    expect(await watch.probe(signal())).toMatchObject({ verdict: 'ready' })
  })

  it('notices the sleep of an engine that somebody else put to bed', async () => {
    const watch = await launched({ ...ready, '/metrics': [200, metricsPage({ asleep: true })] })
    expect(await watch.probe(signal())).toMatchObject({ verdict: 'ready' })
    expect((await watch.load(signal())).asleep).toBe(true)
    expect(await watch.probe(signal())).toMatchObject({ verdict: 'loading' })
  })

  it('is sick when it hangs behind a good /health, and well again with the next step', async () => {
    let nowMs = 0
    const watch = await launched({ ...ready, '/metrics': [200, metricsPage({ running: 2, steps: 7 })] }, {}, () => nowMs)
    await watch.load(signal())
    nowMs = 100_000
    expect(await watch.probe(signal())).toMatchObject({ verdict: 'sick', reason: expect.stringContaining('no step') })
    server!.answers['/metrics'] = [200, metricsPage({ running: 2, steps: 8 })]
    expect(await watch.probe(signal())).toMatchObject({ verdict: 'ready' })
  })
})

describe('its load', () => {
  it('comes with context, adapters and slots', async () => {
    const list = modelList(modelCard('qwen3-4b'), modelCard('sql', { parent: 'qwen3-4b' }))
    const watch = await launched({ ...ready, '/v1/models': [200, list] }, { maxNumSeqs: 64 })
    await watch.probe(signal())
    expect(await watch.load(signal())).toMatchObject({ contextTokens: 8192, adapters: ['sql'], slots: 64, kvBlocks: 27_648 })
  })

  it('is no guess when the page is refused', async () => {
    const watch = await launched({ ...ready, '/metrics': [404, ''] })
    await expect(watch.load(signal())).rejects.toThrow('404')
  })

  it('tells when it is empty, whoever sent the work', async () => {
    const backend = await attached({ ...ready, '/metrics': [200, metricsPage({ running: 0, waiting: 1 })] })
    expect(await backend.drain!.isEmpty(signal())).toBe(false)
    server!.answers['/metrics'] = [200, metricsPage()]
    expect(await backend.drain!.isEmpty(signal())).toBe(true)
    server!.answers['/metrics'] = [200, 'python_gc_objects_collected_total 1']
    expect(await backend.drain!.isEmpty(signal())).toBe(true)
  })
})

describe('detecting vLLM', () => {
  it('finds one that runs, with version and models', async () => {
    server = await startScriptedServer(ready)
    expect(await detect(fetchingHost, server.url)).toEqual({
      found: true,
      url: server.url,
      version: '0.19.0',
      models: ['qwen3-4b'],
      detail: `vLLM 0.19.0 runs at ${server.url}`,
    })
  })

  it('finds an installed one with its version, without starting it', async () => {
    const venv = mkdtempSync(join(tmpdir(), 'lb-venv-'))
    mkdirSync(join(venv, 'bin'))
    mkdirSync(join(venv, 'lib/python3.12/site-packages/vllm-0.21.0+cu128.dist-info'), { recursive: true })
    const command = join(venv, 'bin/vllm')
    writeFileSync(command, '#!/bin/sh\ntouch "$0.started"\n', { mode: 0o755 })
    const url = await closedUrl()
    const found = await detect(fetchingHost, url, join(venv, 'bin'))
    expect(found).toMatchObject({
      found: true,
      version: '0.21.0+cu128',
      detail: expect.stringContaining(`${command}; no server at ${url}`),
    })
    expect(existsSync(`${command}.started`)).toBe(false)
    rmSync(join(venv, 'lib'), { recursive: true })
    expect(await detect(fetchingHost, url, join(venv, 'bin'))).not.toHaveProperty('version')
    rmSync(venv, { recursive: true })
    expect(await detect(fetchingHost, url, join(venv, 'bin'))).toMatchObject({ found: false })
  })

  it('takes no other server for one', async () => {
    server = await startScriptedServer({ '/version': [200, 'hello'] })
    expect((await detect(fetchingHost, server.url)).url).toBeUndefined()
  })
})
