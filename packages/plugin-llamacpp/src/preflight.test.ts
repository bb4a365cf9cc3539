import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchingHost } from '@plimsoll/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { checkRepository } from './check-repository.js'
import { ggufBytes, tinyLlama } from './gguf-writer.test.fixture.js'
import { modelFolders } from './model-folder.test.fixture.js'
import { preflight } from './preflight.js'
import { type RecordedServer, type Routes, startRecordedServer } from './recorded-server.test.fixture.js'
import type { LlamacppSettings } from './settings.js'

const folderOf = modelFolders()
const signal = () => AbortSignal.timeout(10_000)
const check = (weights: string | undefined, settings: LlamacppSettings = {}) =>
  preflight(
    { id: 'chat/a', url: 'http://127.0.0.1:1', models: ['m'], settings, ...(weights === undefined ? {} : { weights }) },
    fetchingHost,
    signal(),
  )

describe('before a launch, a model file', () => {
  it('that is fine has nothing said about it', async () => {
    const folder = folderOf({ 'm.gguf': ggufBytes(), 'l.gguf': ggufBytes(), 't.jinja': 'x' })
    const settings = {
      loras: [{ path: join(folder, 'l.gguf'), scale: 1 }],
      chatTemplateFile: join(folder, 't.jinja'),
      slotSavePath: folder,
    }
    expect(await check(join(folder, 'm.gguf'), settings)).toEqual([])
  })

  it('that is missing is told with what lies beside it', async () => {
    const folder = folderOf({ 'other.gguf': ggufBytes() })
    expect(await check(join(folder, 'm.gguf'))).toMatchObject([
      { kind: 'model-missing', severity: 'error', message: expect.stringContaining('is not there'), hint: 'in that folder: other.gguf' },
    ])
    expect(await check('/nowhere/m.gguf')).toMatchObject([{ hint: 'there is no folder /nowhere either' }])
  })

  it.each([
    ['models/m.gguf', 'an absolute path'],
    ['~/m.gguf', '${HOME}'],
  ])('named as %s is refused: engines have no folder of their own', async (weights, hint) => {
    expect(await check(weights)).toMatchObject([{ kind: 'bad-settings', severity: 'error', hint: expect.stringContaining(hint) }])
  })

  it('that is cut is told with its length', async () => {
    const bytes = ggufBytes()
    const path = join(folderOf({ 'm.gguf': bytes }), 'm.gguf')
    truncateSync(path, bytes.byteLength - 100)
    expect(await check(path)).toMatchObject([
      { kind: 'model-missing', message: `${path} is not whole: ${bytes.byteLength - 100} of at least ${bytes.byteLength} bytes` },
    ])
  })

  it('that is something else is told', async () => {
    const folder = folderOf({
      'lfs.gguf': 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 99\n',
      'st.gguf': Buffer.alloc(5000, 1),
      'adapter.gguf': ggufBytes({ values: { ...tinyLlama, 'general.type': 'adapter' } }),
    })
    expect(await check(join(folder, 'lfs.gguf'))).toMatchObject([{ kind: 'bad-settings', hint: expect.stringContaining('git lfs pull') }])
    expect(await check(join(folder, 'st.gguf'))).toMatchObject([{ kind: 'bad-settings', hint: expect.stringContaining('converted') }])
    expect(await check(join(folder, 'adapter.gguf'))).toMatchObject([{ message: expect.stringContaining('is no model but: adapter') }])
    expect(await check(folder)).toMatchObject([{ kind: 'bad-settings', message: `${folder} is a folder` }])
  })

  it.skipIf(process.getuid?.() === 0)('that may not be read is told', async () => {
    const path = join(folderOf({ 'm.gguf': ggufBytes() }), 'm.gguf')
    chmodSync(path, 0)
    expect(await check(path)).toMatchObject([{ kind: 'model-missing', message: `${path} may not be read` }])
  })

  it('in parts needs all of them, and the first one named', async () => {
    const part = ggufBytes()
    const folder = folderOf({ 'm-00001-of-00003.gguf': part, 'm-00003-of-00003.gguf': part })
    expect(await check(join(folder, 'm-00001-of-00003.gguf'))).toMatchObject([
      { kind: 'model-missing', message: `${folder}/m-00002-of-00003.gguf is not there` },
    ])
    const whole = folderOf({ 'm-00001-of-00002.gguf': part, 'm-00002-of-00002.gguf': part })
    expect(await check(join(whole, 'm-00002-of-00002.gguf'))).toMatchObject([{ hint: `name the first: ${whole}/m-00001-of-00002.gguf` }])
  })
})

describe('before a launch, settings', () => {
  it('that name files and folders are looked after', async () => {
    const folder = folderOf({ 'm.gguf': ggufBytes() })
    const settings = { loras: [{ path: '/nowhere/l.gguf', scale: 1 }], mmproj: '/nowhere/p.gguf', slotSavePath: '/nowhere/slots' }
    const found = await check(join(folder, 'm.gguf'), settings)
    expect(found.map(({ message }) => message)).toEqual([
      '/nowhere/l.gguf is not there',
      '/nowhere/p.gguf is not there',
      '/nowhere/slots is no folder',
    ])
  })

  it('that end llama-server without a word are told before', async () => {
    const model = join(folderOf({ 'm.gguf': ggufBytes() }), 'm.gguf')
    expect(await check(model, { kvTypeV: 'q8_0', flashAttention: 'off' })).toMatchObject([{ kind: 'bad-settings', severity: 'error' }])
    expect(await check(model, { kvTypeV: 'q8_0' })).toEqual([])
    expect(await check(model, { kvTypeV: 'bf16', flashAttention: 'off' })).toEqual([])
  })

  it('of a router go without a model, and a launch without either is doubtful', async () => {
    const router = { autoload: true, modelsDir: folderOf({}) }
    expect(await check(undefined, { router })).toEqual([])
    expect(await check(undefined)).toMatchObject([{ severity: 'warning', message: expect.stringContaining('no launch.model') }])
    const folder = folderOf({ 'm.gguf': ggufBytes() })
    expect(await check(join(folder, 'm.gguf'), { router })).toMatchObject([
      { severity: 'error', message: expect.stringContaining('do not go together') },
    ])
  })
})

describe('before a launch, a repository', () => {
  let server: RecordedServer | undefined
  afterEach(() => server?.close())

  async function checkAt(routes: Routes, quant?: string, more: Readonly<Record<string, string>> = {}) {
    server = await startRecordedServer(routes)
    const env = { HF_HOME: folderOf({}), HF_ENDPOINT: server.url, ...more }
    const repository = { repo: 'org/tiny-GGUF', env, offline: false, ...(quant === undefined ? {} : { quant }) }
    return checkRepository(repository, fetchingHost, signal())
  }
  const at = (status: number, body: unknown) => ({ '/api/models/org/tiny-GGUF?blobs=true': { status, body: JSON.stringify(body) } })
  const siblings = [{ rfilename: 'README.md' }, { rfilename: 'tiny-Q4_K_M.gguf' }]

  it('that is open and has the quantisation is fine', async () => {
    expect(await checkAt(at(200, { gated: false, siblings }), 'q4_k_m')).toEqual([])
  })

  it.each([
    ['gated', 200, { gated: 'manual', siblings }, 'model-gated', 'error'],
    ['private', 401, { error: 'x' }, 'model-gated', 'error'],
    ['missing', 404, {}, 'model-missing', 'error'],
    ['without a GGUF file', 200, { siblings: [] }, 'model-missing', 'error'],
    ['of a hub that is down', 503, {}, 'no-network', 'warning'],
  ])('%s is told', async (_what, status, body, kind, severity) => {
    expect(await checkAt(at(status, body))).toMatchObject([{ kind, severity }])
  })

  it('is asked for with the token of the node, and never of the shell', async () => {
    const gated = at(200, { gated: 'auto', siblings })
    expect(await checkAt(gated, undefined, { HF_TOKEN: 'hf_sekret' })).toMatchObject([{ kind: 'model-gated', severity: 'warning' }])
    expect(server?.heads[0]?.toLowerCase()).toContain('authorization: bearer hf_sekret')
  })

  it('that was fetched before needs no hub', async () => {
    const hub = folderOf({})
    const snapshot = join(hub, 'models--org--tiny-GGUF', 'snapshots', 'abc')
    mkdirSync(snapshot, { recursive: true })
    const away = { HF_HUB_CACHE: hub, HF_ENDPOINT: 'http://127.0.0.1:1' }
    expect(await checkAt({}, undefined, away)).toMatchObject([{ kind: 'no-network' }])
    writeFileSync(join(snapshot, 'tiny-Q4_K_M.gguf'), '')
    expect(await checkAt({}, undefined, away)).toEqual([])
    expect(await checkAt({}, 'Q8_0', away)).toMatchObject([{ kind: 'no-network' }])
  })

  it('that may not be fetched is looked for in the cache alone', async () => {
    const repository = { repo: 'org/tiny-GGUF', env: { HF_HOME: folderOf({}), HF_ENDPOINT: 'http://127.0.0.1:1' }, offline: true }
    expect(await checkRepository(repository, fetchingHost, signal())).toMatchObject([
      { kind: 'model-missing', severity: 'error', message: expect.stringContaining('offline is set') },
    ])
  })

  it('that has no room on the disk is told before it fills it', async () => {
    const huge = { rfilename: 'tiny-Q4_K_M-00001-of-00002.gguf', size: 4e17 }
    const found = await checkAt(at(200, { siblings: [huge, { ...huge, rfilename: 'tiny-Q4_K_M-00002-of-00002.gguf' }] }))
    expect(found).toMatchObject([
      { kind: 'no-space', severity: 'error', message: expect.stringContaining(`takes ${(8e17 / 2 ** 30).toFixed(1)} GiB`) },
    ])
  })

  it('without the quantisation is told with what it has', async () => {
    expect(await checkAt(at(200, { siblings }), 'Q8_0')).toMatchObject([{ kind: 'model-missing', hint: 'it has tiny-Q4_K_M.gguf' }])
  })

  it('out of reach is told; behind a proxy it may yet be reached', async () => {
    const away = { HF_ENDPOINT: 'http://127.0.0.1:1' }
    expect(await checkAt({}, undefined, away)).toMatchObject([{ kind: 'no-network', severity: 'error' }])
    expect(await checkAt({}, undefined, { ...away, HTTPS_PROXY: 'http://proxy' })).toMatchObject([{ severity: 'warning' }])
  })

  it('that names none is told', async () => {
    expect(await checkRepository({ repo: '../etc', env: {}, offline: false }, fetchingHost, signal())).toMatchObject([
      { kind: 'bad-settings' },
    ])
  })
})
