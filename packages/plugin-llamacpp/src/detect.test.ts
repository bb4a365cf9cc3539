import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { detect, readVersion } from './detect.js'
import { fetchingHost } from './fetching-host.test.fixture.js'
import { type RecordedServer, startRecordedServer } from './recorded-server.test.fixture.js'

let server: RecordedServer | undefined
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
    expect(await detect(fetchingHost, [server.url], '')).toEqual({
      found: true,
      url: server.url,
      models: ['tiny.gguf'],
      detail: `llama-server runs at ${server.url}`,
    })
  })

  it('tells those of a router, loaded or not', async () => {
    server = await startRecordedServer({ '/v1/models': 'router-models-unloaded' })
    expect(await detect(fetchingHost, [server.url], '')).toMatchObject({ models: ['model-a', 'model-b', 'model-c'] })
  })

  it('looks at each port that it may have', async () => {
    server = await startRecordedServer({ '/v1/models': 'v1-models' })
    expect(await detect(fetchingHost, ['http://127.0.0.1:1', server.url], '')).toMatchObject({ url: server.url })
  })

  it('finds one that still loads', async () => {
    server = await startRecordedServer({ '/v1/models': 'v1-models-loading' })
    expect(await detect(fetchingHost, [server.url], '')).toMatchObject({ found: true, url: server.url })
  })

  it('gives no URL where a key is asked for: a topology made from it would not work', async () => {
    server = await startRecordedServer({ '/v1/models': 'apikey-none_v1_models' })
    const found = await detect(fetchingHost, [server.url], '')
    expect(found).toMatchObject({ found: true, detail: expect.stringContaining('API key') })
    expect(found.url).toBeUndefined()
  })

  it('takes no other server for one', async () => {
    server = await startRecordedServer({ '/v1/models': 'health-ready' })
    expect(await detect(fetchingHost, [server.url], '')).toMatchObject({ found: false })
  })
})

describe('detecting an installed llama-server', () => {
  const nowhere = ['http://127.0.0.1:1']

  it('tells its version, also behind lines about devices', async () => {
    const folder = installed(`console.error('ggml_cuda_init: found 1 CUDA devices:\\nversion: 10573 (3f545becc)\\nbuilt with cc')`)
    expect(await detect(fetchingHost, nowhere, folder)).toMatchObject({
      found: true,
      version: 'b10573-3f545becc',
      detail: expect.stringContaining(join(folder, 'llama-server')),
    })
  })

  it.each([`process.exit(1)`, `setTimeout(() => {}, 600_000)`])('finds one that does not tell: %s', async (script) => {
    const found = await detect(fetchingHost, nowhere, installed(script))
    expect(found.found).toBe(true)
    expect(found.version).toBeUndefined()
  })

  it('finds none where none is', async () => {
    expect(await detect(fetchingHost, nowhere, '')).toEqual({ found: false, detail: 'no llama-server at http://127.0.0.1:1, none on PATH' })
  })

  it('reads only a version', () => {
    expect(readVersion('version: 5172 (eb1776b1)\n')).toBe('b5172-eb1776b1')
    expect(readVersion('usage: ...')).toBeUndefined()
  })
})
