import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { detect, ollamaUrl } from './detect.js'
import { type ScriptedOllama, startScriptedOllama } from './scripted-ollama.test.fixture.js'
import { fetchingHost } from './spec.test.fixture.js'

let server: ScriptedOllama | undefined
let folder: string | undefined
afterEach(async () => {
  vi.unstubAllEnvs()
  await server?.close()
  server = undefined
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

/** An `ollama` on the PATH that says what the real one says without a server, and a models folder with one model and one cloud entry. */
function installOllama(): void {
  folder = mkdtempSync(join(tmpdir(), 'lb-ollama-'))
  const script = '#!/bin/sh\necho "Warning: could not connect to a running Ollama instance" >&2\necho "Warning: client version is 0.33.0"\n'
  writeFileSync(join(folder, 'ollama'), script)
  chmodSync(join(folder, 'ollama'), 0o755)
  for (const [name, mediaType] of [
    ['llama3.2/latest', 'application/vnd.ollama.image.model'],
    ['big/cloud', 'application/vnd.ollama.image.license'],
  ] as const) {
    const path = join(folder, '.ollama/models/manifests/registry.ollama.ai/library', name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, JSON.stringify({ layers: [{ mediaType, size: 1 }] }))
  }
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`)
  vi.stubEnv('HOME', folder)
}

describe('detecting Ollama', () => {
  it('finds one that runs, with the models that it has itself', async () => {
    server = await startScriptedOllama('llama3.2:latest', 'qwen3:4b')
    server.add('gpt-oss:120b-cloud', { remoteHost: 'https://ollama.com:443' })
    expect(await detect(fetchingHost, server.url)).toEqual({
      found: true,
      url: server.url,
      version: '0.33.0',
      models: ['llama3.2:latest', 'qwen3:4b'],
      detail: `Ollama 0.33.0 runs at ${server.url} with 2 models`,
    })
  })

  it('finds one that is installed but does not run: its version, and what it has on disk', async () => {
    installOllama()
    const seen = await detect(fetchingHost, 'http://127.0.0.1:9')
    expect(seen).toMatchObject({ found: true, version: '0.33.0', models: ['llama3.2:latest'] })
    expect(seen.url).toBeUndefined()
    expect(seen.detail).toMatch(/no server at .*, 1 model in /)
    vi.stubEnv('OLLAMA_MODELS', '/elsewhere')
    expect(await detect(fetchingHost, 'http://127.0.0.1:9')).toMatchObject({
      models: ['llama3.2:latest'],
      detail: /modelsDir: \/elsewhere/,
    })
  })

  it('says what else answers at its address', async () => {
    server = await startScriptedOllama()
    server.answers['/api/version'] = [200, '<html>']
    vi.stubEnv('PATH', '')
    expect(await detect(fetchingHost, server.url)).toMatchObject({ found: false, detail: /is this an Ollama server/ })
  })

  it.each([
    [undefined, 'http://127.0.0.1:11434'],
    ['', 'http://127.0.0.1:11434'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['"0.0.0.0:9999"', 'http://127.0.0.1:9999'],
    ['gpu.local', 'http://gpu.local:11434'],
    ['http://gpu.local', 'http://gpu.local:80'],
    ['https://gpu.local/ollama/', 'https://gpu.local:443/ollama'],
    ['::: nonsense', 'http://127.0.0.1:11434'],
  ])('reads OLLAMA_HOST=%s as %s', (value, url) => {
    expect(ollamaUrl(value)).toBe(url)
  })
})
