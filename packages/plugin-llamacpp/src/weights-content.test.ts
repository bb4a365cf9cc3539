import { createHash } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { modelFolders } from './model-folder.test.fixture.js'
import type { LlamacppSettings } from './settings.js'
import { weightsContent, weightsHash, weightsPin, weightsThere, weightsToFetch } from './weights-content.js'

const folderWith = modelFolders()
// Where counted hashes are kept.
beforeEach(() => void vi.stubEnv('XDG_STATE_HOME', folderWith({})))
afterEach(() => void vi.unstubAllEnvs())

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const spec = (weights: string | undefined, settings: Partial<LlamacppSettings> = {}, env: Readonly<Record<string, string>> = {}) => ({
  id: 'chat/gpu',
  url: 'http://127.0.0.1:1',
  models: ['m'],
  settings: settings as LlamacppSettings,
  ...(weights === undefined ? {} : { weights }),
  environment: () => env,
})

const soon = () => AbortSignal.timeout(5000)

describe('the content of a GGUF file', () => {
  it('is told at once from size, header and samples, and over all bytes when somebody counts them', async () => {
    const folder = folderWith({ 'm.gguf': 'GGUF one' })
    const file = join(folder, 'm.gguf')
    const before = await weightsContent(spec(file))
    expect(before).toMatch(/^sample:8:[0-9a-f]{16}$/)
    expect(await weightsHash(spec(file), soon())).toBe(`sha256:${sha256('GGUF one')}`)
    writeFileSync(file, 'GGUF two')
    expect(await weightsContent(spec(file))).not.toBe(before)
    expect(weightsPin(spec(file), before ?? '')).toBeUndefined()
    expect(await weightsToFetch(spec(file))).toBeUndefined()
  })

  it('is of all its parts, and of its eyes', async () => {
    const folder = folderWith({ 'm-00001-of-00002.gguf': 'one', 'm-00002-of-00002.gguf': 'two', 'eyes.gguf': 'eyes' })
    const first = join(folder, 'm-00001-of-00002.gguf')
    expect(await weightsContent(spec(first))).toMatch(/^sample:6:/)
    expect(await weightsContent(spec(first, { mmproj: join(folder, 'eyes.gguf') }))).toMatch(/^sample:10:/)
    expect(await weightsContent(spec(join(folder, 'm-00001-of-00003.gguf')))).toBeUndefined()
  })

  it('is unknown where there is no file, or a router with many', async () => {
    expect(await weightsContent(spec('/nowhere/m.gguf'))).toBeUndefined()
    expect(await weightsHash(spec('/nowhere/m.gguf'), soon())).toBeUndefined()
    expect(await weightsContent(spec(undefined))).toBeUndefined()
  })
})

it('on another machine is looked for where llama-server would', () => {
  expect(weightsThere(spec('/m/x-00001-of-00002.gguf', { mmproj: '/m/eyes.gguf' }))).toEqual({
    kind: 'files',
    paths: ['/m/x-00001-of-00002.gguf', '/m/x-00002-of-00002.gguf', '/m/eyes.gguf'],
  })
  expect(weightsThere(spec('hf:org/repo:Q4_K_M'))).toEqual({
    kind: 'hub',
    repo: 'org/repo',
    revision: 'main',
    cacheVariable: 'LLAMA_CACHE',
  })
  expect(weightsThere(spec(undefined))).toBeUndefined()
})

describe('the content of a repository', () => {
  /** As the hub's client lays it out: blobs by their hash, links for each commit. */
  function cached(cache: string, commit: string, text: string): string {
    const folder = join(cache, 'models--org--repo-GGUF')
    for (const each of ['blobs', 'refs', `snapshots/${commit}`]) mkdirSync(join(folder, each), { recursive: true })
    writeFileSync(join(folder, 'refs', 'main'), commit)
    const blob = join(folder, 'blobs', sha256(text))
    writeFileSync(blob, text)
    symlinkSync(blob, join(folder, 'snapshots', commit, 'm-Q4_K_M.gguf'))
    return blob
  }

  it('is the hash that the cache keeps it under, and the old file can be launched while it is there', async () => {
    const cache = folderWith({})
    const of = spec('hf:org/repo-GGUF:Q4_K_M', {}, { LLAMA_CACHE: cache })
    expect(await weightsContent(of)).toBeUndefined()
    expect(await weightsToFetch(of)).toBe('hf:org/repo-GGUF:Q4_K_M')
    const old = cached(cache, 'aaa', 'one')
    const before = await weightsContent(of)
    expect(before).toBe(`sha256:${sha256('one')}`)
    expect(await weightsHash(of, soon())).toBe(before)
    expect(await weightsToFetch(of)).toBeUndefined()
    cached(cache, 'bbb', 'two')
    expect(await weightsContent(of)).toBe(`sha256:${sha256('two')}`)
    expect(weightsPin(of, before ?? '')).toEqual({ weights: old })
    expect(await weightsHash(spec(old), soon())).toBe(before)
    expect(await weightsContent(spec(old))).toBe(before)
    expect(weightsPin(of, `sha256:${sha256('three')}`)).toBeUndefined()
  })
})
