import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keptName } from './keep-digest.js'
import { digestOf, startScriptedOllama, type ScriptedOllama } from './scripted-ollama.test.fixture.js'
import { attached, launched, soon } from './spec.test.fixture.js'

const NEW = 'ab'.repeat(32)
let server: ScriptedOllama
beforeEach(async () => {
  server = await startScriptedOllama('llama3.2:latest')
})
afterEach(() => server.close())

const pull = () => attached(server.url).models?.pull?.('llama3.2', { signal: soon(), onProgress: () => undefined })
const kept = keptName('llama3.2', digestOf('llama3.2:latest'))
const names = () => [...server.pulled.keys()]

describe('a pull that replaces what a name meant', () => {
  it('leaves the old digest under a private tag, by which it is served again', async () => {
    const { content, pin } = attached(server.url, { model: 'llama3.2' })
    const before = await content?.(soon())
    expect(before).toBe(`sha256:${digestOf('llama3.2:latest')}`)
    server.pullBrings = { digest: NEW }
    expect(await pull()).toEqual({ contentHash: `sha256:${NEW}` })
    expect(await content?.(soon())).toBe(`sha256:${NEW}`)
    expect(kept).toMatch(/^lb-keep\/llama3\.2:[0-9a-f]{12}$/)
    expect(names()).toContain(kept)
    const pinned = pin?.(before ?? '')
    expect(pinned).toMatchObject({ model: kept })
    expect(await attached(server.url, { model: kept }).content?.(soon())).toBe(before)
  })

  it('leaves nothing where it brought the same, or there was nothing', async () => {
    await pull()
    expect(names()).toEqual(['llama3.2:latest'])
    server.pulled.clear()
    await pull()
    expect(names()).toEqual(['llama3.2:latest'])
    expect(server.paths().filter((path) => path === '/api/copy')).toHaveLength(1)
  })

  it('leaves nothing where it failed', async () => {
    server.pullLines = () => [{ status: 'pulling manifest' }, { error: 'pull model manifest: file does not exist' }]
    await expect(pull()).rejects.toMatchObject({ code: 'LB_PULL_FAILED' })
    expect(names()).toEqual(['llama3.2:latest'])
  })

  it('keeps the newest three of a model, and what is in memory', async () => {
    const digests = ['0', '1', '2', '3', '4', '5'].map((digit) => digit.repeat(64))
    for (const digest of digests) {
      server.pullBrings = { digest }
      await pull()
      if (digest === digests[0]) server.loaded.set(kept, { size: 1, vram: 1, context: 1 })
    }
    const keptOnes = names().filter((name) => name.startsWith('lb-keep/'))
    expect(keptOnes).toContain(kept)
    expect(keptOnes.filter((name) => name !== kept)).toEqual(
      [digests[4], digests[3], digests[2]].map((digest) => keptName('llama3.2', digest ?? '')),
    )
  })

  it('goes on where the server cannot copy', async () => {
    server.answers['/api/copy'] = [500, '{}']
    server.pullBrings = { digest: NEW }
    expect(await pull()).toEqual({ contentHash: `sha256:${NEW}` })
    expect(names()).toEqual(['llama3.2:latest'])
  })
})

describe('the content of models', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lb-ollama-'))
    mkdirSync(join(folder, 'manifests/registry.ollama.ai/library/llama3.2'), { recursive: true })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('of a server that need not run is the digest of its manifest', async () => {
    const backend = launched('http://127.0.0.1:1', { modelsDir: folder })
    expect(await backend.content?.(soon())).toBeUndefined()
    expect(await backend.toFetch?.(soon())).toBe('llama3.2')
    writeFileSync(join(folder, 'manifests/registry.ollama.ai/library/llama3.2/latest'), '{}')
    expect(await backend.content?.(soon())).toBe('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
    expect(await backend.toFetch?.(soon())).toBeUndefined()
  })

  it('is unknown of a server that lacks one of them, and told over several', async () => {
    expect(await attached(server.url, { model: 'other' }).content?.(soon())).toBeUndefined()
    server.add('qwen3:4b')
    const both = attached(server.url, { models: ['llama3.2', 'qwen3:4b'] })
    expect(await both.content?.(soon())).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(both.pin?.(`sha256:${NEW}`)).toBeUndefined()
    expect(attached(server.url).pin?.('commit:x')).toBeUndefined()
  })

  it('is launched by its private tag, and asked for by it where requests go by another name', () => {
    const name = keptName('llama3.2', NEW)
    expect(launched(server.url, {}, { weights: 'llama3.2' }).pin?.(`sha256:${NEW}`)).toEqual({ weights: name })
    expect(launched(server.url, {}, { weights: 'llama3.2', model: 'm' }).pin?.(`sha256:${NEW}`)).toEqual({ weights: name, model: name })
    expect(keptName('hf.co/Org/Repo:Q4_K_M', NEW)).toBe('lb-keep/hf.co-org-repo-q4_k_m:abababababab')
  })
})
