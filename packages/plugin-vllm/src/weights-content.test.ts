import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { VllmSettings } from './settings.js'
import { specOf, weights } from './node-spec.test.fixture.js'
import { weightsContent, weightsHash, weightsPin, weightsThere, weightsToFetch } from './weights-content.js'

const ONE = '1'.repeat(40)
const TWO = '2'.repeat(40)
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lb-hub-'))
  vi.stubEnv('XDG_STATE_HOME', home)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true, force: true })
})

/** As huggingface_hub lays it out. */
function cache(commit: string, files: Readonly<Record<string, string>> = { 'config.json': '{}', 'model.safetensors': 'x' }): void {
  const folder = join(home, 'hub', 'models--Qwen--Qwen3-4B')
  for (const each of [join(folder, 'refs'), join(folder, 'snapshots', commit)]) mkdirSync(each, { recursive: true })
  writeFileSync(join(folder, 'refs', 'main'), commit)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'snapshots', commit, name), text)
}

const spec = (settings: VllmSettings = {}, model = weights) => specOf(settings, { weights: model, environment: () => ({ HF_HOME: home }) })

describe('the content of weights of the hub', () => {
  it('is the commit that its branch means in the cache, once it is whole', async () => {
    expect(await weightsContent(spec())).toBeUndefined()
    expect(await weightsToFetch(spec())).toBe('Qwen/Qwen3-4B')
    expect(await weightsToFetch(spec({ revision: 'v2' }))).toBe('Qwen/Qwen3-4B@v2')
    cache(ONE, { 'config.json': '{}' })
    expect(await weightsContent(spec())).toBeUndefined()
    expect(await weightsContent(spec({ loadFormat: 'dummy' }))).toBe(`commit:${ONE}`)
    cache(ONE)
    expect(await weightsContent(spec())).toBe(`commit:${ONE}`)
    expect(await weightsToFetch(spec())).toBeUndefined()
  })

  it('moves with the branch, and what was before is launched by its commit', async () => {
    cache(ONE)
    cache(TWO)
    expect(await weightsContent(spec())).toBe(`commit:${TWO}`)
    const pin = weightsPin(spec(), `commit:${ONE}`)
    expect(pin).toEqual({ settings: { revision: ONE } })
    expect(await weightsContent(spec({ revision: ONE }))).toBe(`commit:${ONE}`)
    expect(weightsPin(spec(), 'sample:1:2')).toBeUndefined()
  })
})

describe('the content of a folder', () => {
  it('is what its files are like, and over all bytes when somebody counts them', async () => {
    const folder = join(home, 'mine')
    mkdirSync(folder)
    expect(await weightsContent(spec({}, folder))).toBeUndefined()
    writeFileSync(join(folder, 'config.json'), '{}')
    writeFileSync(join(folder, 'model.safetensors'), 'one')
    const before = await weightsContent(spec({}, folder))
    expect(before).toMatch(/^sample:5:[0-9a-f]{16}$/)
    writeFileSync(join(folder, 'tokenizer.json'), '[]')
    expect(await weightsContent(spec({}, folder))).not.toBe(before)
    expect(await weightsHash(spec({}, folder), AbortSignal.timeout(5000))).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(weightsPin(spec({}, folder), `commit:${ONE}`)).toBeUndefined()
    expect(await weightsToFetch(spec({}, folder))).toBeUndefined()
  })

  it('is the commit where it is a folder of the cache', async () => {
    cache(ONE)
    expect(await weightsContent(spec({}, join(home, 'hub', 'models--Qwen--Qwen3-4B', 'snapshots', ONE)))).toBe(`commit:${ONE}`)
  })

  it('is nobody’s to tell where only vLLM can reach it', async () => {
    expect(await weightsContent(spec({}, 's3://bucket/model'))).toBeUndefined()
    expect(await weightsToFetch(spec({}, 's3://bucket/model'))).toBeUndefined()
  })
})

it('on another machine is looked for where vLLM would', () => {
  expect(weightsThere(spec())).toEqual({ kind: 'hub', repo: 'Qwen/Qwen3-4B', revision: 'main' })
  expect(weightsThere(spec({ revision: ONE }))).toMatchObject({ kind: 'hub', revision: ONE })
  expect(weightsThere(spec({}, '/models/mine'))).toMatchObject({
    kind: 'folder',
    folder: '/models/mine',
    endings: expect.arrayContaining(['safetensors', 'json']) as unknown,
  })
  expect(weightsThere(spec({}, 's3://bucket/model'))).toBeUndefined()
})
