import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchingHost } from '@plimsoll/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { detect, readVersion, usualUrls } from './detect.js'
import { ggufBytes, tinyLlama } from './gguf-writer.test.fixture.js'
import { modelFolders } from './model-folder.test.fixture.js'
import { type RecordedServer, startRecordedServer } from './recorded-server.test.fixture.js'

let server: RecordedServer | undefined
const folderOf = modelFolders()
const folders: string[] = []
afterEach(async () => {
  await server?.close()
  server = undefined
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A folder with a llama-server that says what it is told. */
function installed(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lb-llamacpp-'))
  folders.push(folder)
  const path = join(folder, 'llama-server')
  writeFileSync(path, `#!${process.execPath}\n${script}`)
  chmodSync(path, 0o755)
  return folder
}

describe('detecting a llama-server that runs', () => {
  it('tells its models', async () => {
    server = await startRecordedServer({ '/v1/models': 'v1-models' })
    expect(await detect(fetchingHost, { urls: [server.url], searchPath: '' })).toEqual({
      found: true,
      url: server.url,
      models: ['tiny.gguf'],
      detail: `llama-server runs at ${server.url}`,
    })
  })

  it('tells those of a router, loaded or not', async () => {
    server = await startRecordedServer({ '/v1/models': 'router-models-unloaded' })
    expect(await detect(fetchingHost, { urls: [server.url], searchPath: '' })).toMatchObject({ models: ['model-a', 'model-b', 'model-c'] })
  })

  it('looks at each port that it may have', async () => {
    server = await startRecordedServer({ '/v1/models': 'v1-models' })
    expect(await detect(fetchingHost, { urls: ['http://127.0.0.1:1', server.url], searchPath: '' })).toMatchObject({ url: server.url })
  })

  it('looks where llama-server itself would listen', () => {
    expect(usualUrls({})).toEqual(['http://127.0.0.1:8080', 'http://127.0.0.1:9931'])
    expect(usualUrls({ LLAMA_ARG_PORT: '9000' })[0]).toBe('http://127.0.0.1:9000')
    expect(usualUrls({ LLAMA_ARG_PORT: 'nine' })).toEqual(usualUrls({}))
  })

  it('finds one that still loads', async () => {
    server = await startRecordedServer({ '/v1/models': 'v1-models-loading' })
    expect(await detect(fetchingHost, { urls: [server.url], searchPath: '' })).toMatchObject({ found: true, url: server.url })
  })

  it('gives no URL where a key is asked for: a topology made from it would not work', async () => {
    server = await startRecordedServer({ '/v1/models': 'apikey-none_v1_models' })
    const found = await detect(fetchingHost, { urls: [server.url], searchPath: '' })
    expect(found).toMatchObject({ found: true, detail: expect.stringContaining('API key') })
    expect(found.url).toBeUndefined()
  })

  it('takes no other server for one', async () => {
    server = await startRecordedServer({ '/v1/models': 'health-ready' })
    expect(await detect(fetchingHost, { urls: [server.url], searchPath: '' })).toMatchObject({ found: false })
  })
})

describe('detecting an installed llama-server', () => {
  const nowhere = ['http://127.0.0.1:1']

  it('tells its version, also behind lines about devices', async () => {
    const folder = installed(`console.error('ggml_cuda_init: found 1 CUDA devices:\\nversion: 10573 (3f545becc)\\nbuilt with cc')`)
    expect(await detect(fetchingHost, { urls: nowhere, searchPath: folder, folders: [] })).toMatchObject({
      found: true,
      version: 'b10573-3f545becc',
      detail: expect.stringContaining(join(folder, 'llama-server')),
    })
  })

  it.each([`process.exit(1)`, `setTimeout(() => {}, 600_000)`])('finds one that does not tell: %s', async (script) => {
    const found = await detect(fetchingHost, { urls: nowhere, searchPath: installed(script), folders: [] })
    expect(found.found).toBe(true)
    expect(found.version).toBeUndefined()
  })

  it('finds none where none is', async () => {
    expect(await detect(fetchingHost, { urls: nowhere, searchPath: '' })).toEqual({
      found: false,
      detail: 'no llama-server at http://127.0.0.1:1, none on PATH',
    })
  })

  it('tells the newest model on this disk, for a launch that works as it is', async () => {
    const bytes = ggufBytes()
    const models = folderOf({
      'mmproj-new.gguf': bytes,
      'new-00001-of-00002.gguf': bytes,
      'new-00002-of-00002.gguf': bytes,
      'old.gguf': bytes,
      'cut.gguf': bytes.subarray(0, 300),
    })
    mkdirSync(join(models, 'sub'))
    writeFileSync(join(models, 'sub', 'lora.gguf'), ggufBytes({ values: { ...tinyLlama, 'general.type': 'adapter' } }))
    utimesSync(join(models, 'old.gguf'), 1, 1)
    utimesSync(join(models, 'new-00001-of-00002.gguf'), 9, 9)
    const found = await detect(fetchingHost, { urls: nowhere, searchPath: installed('process.exit(0)'), folders: [models, '/nowhere'] })
    expect(found).toMatchObject({ found: true, models: ['new'], weights: join(models, 'new-00001-of-00002.gguf') })
    const none = await detect(fetchingHost, { urls: nowhere, searchPath: installed('process.exit(0)'), folders: ['/nowhere'] })
    expect(none.weights).toBeUndefined()
    expect(none.detail).toContain('no model file')
  })

  it('reads only a version', () => {
    expect(readVersion('version: 5172 (eb1776b1)\n')).toBe('b5172-eb1776b1')
    expect(readVersion('version: 0.2.0-dev (build 10568, commit unknown)\nbuilt with GNU 12.2.0\n')).toBe('b10568-unknown')
    expect(readVersion('usage: ...')).toBeUndefined()
  })
})
