import { createServer } from 'node:http'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hubSettings, parseHubReference, pullRepository, type PulledRepository } from './index.js'
import { diskError } from './hub-errors.js'
import { bytesOf, gitSha1, ScriptedHub, sha256 } from './scripted-hub.test.fixture.js'

const weights = bytesOf('weights', 40_000)
const config = Buffer.from('{"model_type":"qwen3"}')
const commit = 'c'.repeat(40)

let folder: string
let hub: ScriptedHub
let env: NodeJS.ProcessEnv

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lb-hub-'))
  hub = await new ScriptedHub({
    'org/m': {
      files: { 'model.safetensors': weights, 'config.json': config, 'pytorch_model.bin': bytesOf('bin', 2000), '.gitattributes': config },
    },
    'org/gated': { files: { 'config.json': config, 'model.safetensors': weights }, gatedFor: 'good' },
    'org/secret': { files: { 'config.json': config }, privateFor: 'good' },
    'org/huge': { files: { 'model.safetensors': weights }, claimedBytes: 9e15 },
    'org/odd': { files: { '../../out.json': config } },
  }).listen()
  env = { HF_ENDPOINT: hub.url, HF_HOME: join(folder, 'hf') }
})
afterEach(async () => {
  await hub.close()
  rmSync(folder, { recursive: true, force: true })
})

type More = Partial<Parameters<typeof pullRepository>[0]>

function pull(text: string, more: More = {}): Promise<PulledRepository> {
  const reference = parseHubReference(text)
  if (reference === undefined) throw new Error(`${text} is no reference`)
  return pullRepository({
    reference,
    settings: hubSettings(env),
    env,
    signal: AbortSignal.timeout(15_000),
    onProgress: () => undefined,
    ...more,
  })
}

const repoDir = () => join(folder, 'hf/hub/models--org--m')

describe('pulling into the cache of Hugging Face', () => {
  it('lays out blobs, links and refs as its own programs do', async () => {
    const pulled = await pull('org/m')
    expect(pulled).toMatchObject({ commit, bytes: weights.byteLength + config.byteLength, files: ['model.safetensors', 'config.json'] })
    const snapshot = join(repoDir(), 'snapshots', commit)
    expect(pulled.folder).toBe(snapshot)
    expect(readlinkSync(join(snapshot, 'model.safetensors'))).toBe(`../../blobs/${sha256(weights)}`)
    expect(readlinkSync(join(snapshot, 'config.json'))).toBe(`../../blobs/${gitSha1(config)}`)
    expect(readFileSync(join(snapshot, 'model.safetensors')).equals(weights)).toBe(true)
    expect(readFileSync(join(repoDir(), 'refs/main'), 'utf8')).toBe(commit)
    expect(existsSync(join(repoDir(), '.lb-pull.lock'))).toBe(false)
  })

  it('fetches nothing twice', async () => {
    const first = await pull('org/m')
    hub.asked.length = 0
    const second = await pull('org/m')
    expect(second).toEqual({ ...first, fetchedBytes: 0 })
    expect(hub.asked.map(({ path }) => path)).toEqual(['/api/models/org/m/revision/main?blobs=true'])
  })

  it('hashes the content, wherever it lies and under whatever revision', async () => {
    const cached = await pull('org/m')
    const plain = await pull(`org/m@${commit}`, { to: join(folder, 'plain') })
    expect(plain.contentHash).toBe(cached.contentHash)
    expect(plain.contentHash).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(readFileSync(join(folder, 'plain/config.json')).equals(config)).toBe(true)
    expect(lstatSync(join(folder, 'plain/config.json')).isFile()).toBe(true)
  })

  it('tells how far it has come', async () => {
    const seen: number[] = []
    await pull('org/m', { onProgress: ({ doneBytes }) => void seen.push(doneBytes) })
    expect(seen.at(-1)).toBe(weights.byteLength + config.byteLength)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })
})

describe('a connection that breaks', () => {
  it('is taken up where it was', async () => {
    hub.paceMs = 5
    hub.cutAfter.push(10_000, 5_000)
    await pull('org/m')
    const ranges = hub.asked.filter(({ at }) => at === 'store').map(({ range }) => Number(/\d+/.exec(range ?? '0')?.[0]))
    expect(ranges[0]).toBe(0)
    expect(ranges).toHaveLength(3)
    expect(ranges[1]).toBeGreaterThan(0)
    expect(ranges[2]).toBeGreaterThanOrEqual(ranges[1] ?? Infinity)
  })

  it('begins anew at a hub that knows no ranges', async () => {
    hub.takesRanges = false
    hub.cutAfter.push(10_000)
    const { folder: snapshot } = await pull('org/m')
    expect(readFileSync(join(snapshot, 'model.safetensors')).equals(weights)).toBe(true)
  })

  it('keeps what came when it is interrupted, and the next pull goes on there', async () => {
    hub.paceMs = 20
    const interrupt = new AbortController()
    const onProgress = ({ doneBytes }: { doneBytes: number }) => void (doneBytes > 8_000 && interrupt.abort(new Error('enough')))
    await expect(pull('org/m', { signal: interrupt.signal, onProgress })).rejects.toThrow('enough')
    const part = join(repoDir(), 'blobs', `${sha256(weights)}.incomplete`)
    const kept = readFileSync(part).byteLength
    expect(kept).toBeGreaterThan(0)
    hub.paceMs = 0
    hub.asked.length = 0
    await pull('org/m')
    expect(hub.asked.find(({ at }) => at === 'store')?.range).toBe(`bytes=${kept}-`)
    expect(existsSync(part)).toBe(false)
  })

  it('gives up a hub from which nothing comes', async () => {
    env['HF_ENDPOINT'] = 'http://127.0.0.1:9'
    await expect(pull('org/m')).rejects.toMatchObject({ code: 'LB_NO_NETWORK', hint: /HTTPS_PROXY/ })
  })
})

describe('what must not be taken', () => {
  it('a content that is not what the hub said is thrown away', async () => {
    hub.forged.set('model.safetensors', bytesOf('forged', 40_000))
    await expect(pull('org/m')).rejects.toMatchObject({ code: 'LB_HASH_MISMATCH' })
    expect(existsSync(join(repoDir(), 'blobs', sha256(weights)))).toBe(false)
    expect(existsSync(join(repoDir(), 'blobs', `${sha256(weights)}.incomplete`))).toBe(false)
  })

  it('a small file neither', async () => {
    hub.forged.set('config.json', Buffer.from('{"model_type":"other"}'))
    await expect(pull('org/m')).rejects.toMatchObject({ code: 'LB_HASH_MISMATCH' })
  })

  it('a part with another content is thrown away, and the next pull is right', async () => {
    mkdirSync(join(repoDir(), 'blobs'), { recursive: true })
    writeFileSync(join(repoDir(), 'blobs', `${sha256(weights)}.incomplete`), bytesOf('else', 10_000))
    await expect(pull('org/m')).rejects.toMatchObject({ code: 'LB_HASH_MISMATCH' })
    const { folder: snapshot } = await pull('org/m')
    expect(readFileSync(join(snapshot, 'model.safetensors')).equals(weights)).toBe(true)
  })

  it('a name that leads out of the folder', async () => {
    await expect(pull('org/odd')).rejects.toMatchObject({ code: 'LB_HUB_ODD', message: /\.\.\/\.\.\/out\.json/ })
  })

  it('an answer that is no hub', async () => {
    const other = createServer((_request, response) => response.end('<html>please sign in</html>'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    env['HF_ENDPOINT'] = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    await expect(pull('org/m')).rejects.toMatchObject({ code: 'LB_HUB_ODD' })
    other.close()
  })
})

describe('why a hub refuses', () => {
  it.each([
    ['org/none', {}, 'LB_MODEL_NOT_FOUND', /or it is private/, /set HF_TOKEN/],
    ['org/none', { HF_TOKEN: 'good' }, 'LB_MODEL_NOT_FOUND', /org\/none is not at/, /account of your HF_TOKEN/],
    ['org/secret', { HF_TOKEN: 'bad' }, 'LB_MODEL_NOT_FOUND', /private/, /HF_TOKEN/],
    ['org/m@v9', {}, 'LB_MODEL_NOT_FOUND', /org\/m@v9: there is no such revision/, /tree\/main/],
    ['org/m/none.gguf', {}, 'LB_MODEL_NOT_FOUND', /no file that is wanted/, /model\.safetensors/],
    ['org/m:Q4_K_M', {}, 'LB_MODEL_NOT_FOUND', /no file/, /it has/],
    ['org/gated', {}, 'LB_MODEL_GATED', /gated/, /accept them at .*org\/gated; set HF_TOKEN/],
    ['org/gated', { HF_TOKEN: 'bad' }, 'LB_MODEL_GATED', /gated/, /account of your HF_TOKEN does not/],
    ['org/m', { HF_HUB_OFFLINE: '1' }, 'LB_OFFLINE', /HF_HUB_OFFLINE/, /unset/],
  ])('%s with %j', async (reference, more, code, message, hint) => {
    Object.assign(env, more)
    await expect(pull(reference)).rejects.toMatchObject({ code, message, hint })
  })

  it('with the right token it gives, and the token stays with the hub', async () => {
    Object.assign(env, { HF_TOKEN: 'good' })
    await pull('org/gated')
    await pull('org/secret')
    expect(hub.asked.filter(({ at }) => at === 'hub').every(({ authorization }) => authorization === 'Bearer good')).toBe(true)
    expect(hub.asked.filter(({ at }) => at === 'store').map(({ authorization }) => authorization)).toEqual([undefined])
  })
})

describe('a disk', () => {
  it('without room for it is told before anything is fetched', async () => {
    await expect(pull('org/huge')).rejects.toMatchObject({
      code: 'LB_NO_SPACE',
      message: /9000000\.0 GB are to be fetched, and .* has room for/,
    })
    expect(hub.asked.filter(({ at }) => at === 'store')).toEqual([])
  })

  it('that fills up on the way is told apart from a folder that cannot be written', () => {
    expect(diskError(Object.assign(new Error('x'), { code: 'ENOSPC' }), '/d')).toMatchObject({ code: 'LB_NO_SPACE', message: '/d is full' })
    expect(diskError(Object.assign(new Error('no'), { code: 'EACCES' }), '/d')).toMatchObject({ code: 'LB_CANNOT_WRITE' })
  })

  it('whose folder is a file cannot be written', async () => {
    writeFileSync(join(folder, 'hf'), '')
    await expect(pull('org/m')).rejects.toMatchObject({ code: 'LB_CANNOT_WRITE', hint: /HF_HOME or --to/ })
  })
})

describe('the way to the hub', () => {
  it('leads through the proxy that the environment names', async () => {
    const asked: string[] = []
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end()
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    Object.assign(env, { HF_ENDPOINT: 'http://hub.invalid', HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` })
    await expect(pull('org/m')).rejects.toMatchObject({ code: 'LB_MODEL_NOT_FOUND' })
    expect(asked).toEqual(['http://hub.invalid/api/models/org/m/revision/main?blobs=true'])
    proxy.close()
  })
})

describe('two pulls of one model', () => {
  it('do not write into one part: the second is told who is at it', async () => {
    hub.paceMs = 20
    const first = pull('org/m')
    await expect.poll(() => existsSync(join(repoDir(), '.lb-pull.lock'))).toBe(true)
    await expect(pull('org/m')).rejects.toMatchObject({ code: 'LB_PULL_RUNNING', message: new RegExp(`process ${process.pid} `) })
    await first
  })

  it('the lock of one that was killed is taken over', async () => {
    mkdirSync(repoDir(), { recursive: true })
    writeFileSync(join(repoDir(), '.lb-pull.lock'), JSON.stringify({ pid: process.pid, startTime: '1', bootId: 'x' }))
    await expect(pull('org/m')).resolves.toMatchObject({ commit })
  })
})
