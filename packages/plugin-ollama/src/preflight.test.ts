import { createServer, type Server } from 'node:http'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { preflight } from './preflight.js'
import { fetchingHost, soon } from './spec.test.fixture.js'

let folder: string
let registry: Server
let url: string
let answer: readonly [status: number, body: string]
let asked: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lb-ollama-'))
  asked = []
  answer = [200, manifestOf(1000)]
  registry = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(answer[0], { connection: 'close' }).end(answer[1])
  })
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
})
afterEach(async () => {
  await new Promise((resolve) => registry.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

const manifestOf = (size: number) => JSON.stringify({ config: { size: 10 }, layers: [{ size }, null, { size: 'x' }] })
const ask = (pull: 'missing' | 'never' | 'always' = 'missing', env: NodeJS.ProcessEnv = { HOME: '/root' }) =>
  preflight({ settings: { modelsDir: folder, pull }, sources: ['llama3.2'], host: fetchingHost, registry: url, env }, soon())

describe('before an Ollama starts', () => {
  it('a model that the registry has and the disk has room for is fine', async () => {
    expect(await ask()).toEqual([])
    expect(asked).toEqual(['/v2/library/llama3.2/manifests/latest'])
  })

  it('a model that lies there already asks nobody', async () => {
    mkdirSync(join(folder, 'manifests/registry.ollama.ai/library/llama3.2'), { recursive: true })
    writeFileSync(join(folder, 'manifests/registry.ollama.ai/library/llama3.2/latest'), '{}')
    expect(await ask('never')).toEqual([])
    expect(asked).toEqual([])
  })

  it.each([
    [[404, ''] as const, 'error', 'model-missing', /neither in .* nor at registry\.ollama\.ai/],
    [[401, ''] as const, 'warning', 'model-gated', /401/],
    [[200, manifestOf(1e18)] as const, 'error', 'no-space', /needs 1000000000\.0 GB, and .* has room for/],
  ])('a registry that answers %j', async (given, severity, kind, message) => {
    answer = given
    expect(await ask()).toMatchObject([{ severity, kind, message }])
  })

  it('a registry that cannot be reached is told apart, and stops nothing: the network may come', async () => {
    url = 'http://127.0.0.1:9'
    expect(await ask()).toMatchObject([{ severity: 'warning', kind: 'no-network', message: /cannot be reached/ }])
  })

  it('behind a proxy the registry is left to Ollama', async () => {
    url = 'http://127.0.0.1:9'
    expect(await ask('missing', { HOME: '/root', HTTPS_PROXY: 'http://proxy:3128' })).toEqual([])
  })

  it('what is not there and must not be fetched stops it', async () => {
    expect(await ask('never')).toMatchObject([{ severity: 'error', kind: 'model-missing', hint: /ollama pull llama3\.2/ }])
  })

  it('no HOME is a warning where no folder is named', async () => {
    const findings = await preflight({ settings: { pull: 'never' }, sources: [], host: fetchingHost, env: {} }, soon())
    expect(findings).toMatchObject([{ severity: 'warning', message: /HOME is not set/ }])
  })
})
