import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fetchFromHub } from './index.js'
import { bytesOf, ScriptedHub } from './scripted-hub.test.fixture.js'

let folder: string
let hub: ScriptedHub
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lb-hub-'))
  hub = await new ScriptedHub({
    'org/m': { files: { 'config.json': Buffer.from('{}'), 'model.safetensors': bytesOf('weights', 40_000) } },
    'org/m-GGUF': { files: { 'm-Q4_K_M.gguf': bytesOf('small', 4000), 'm-Q8_0.gguf': bytesOf('large', 8000) } },
  }).listen()
})
afterEach(async () => {
  await hub.close()
  rmSync(folder, { recursive: true, force: true })
})

const commit = 'c'.repeat(40)

async function fetched(
  model: string,
  env: Record<string, string>,
  group: object = {},
): Promise<{ done: boolean; steps: readonly string[] }> {
  const steps: string[] = []
  const wanted: unknown = { model, group, env: { HF_ENDPOINT: hub.url, HF_HOME: join(folder, 'hf'), ...env } }
  const options = { signal: AbortSignal.timeout(15_000), onProgress: ({ step }: { step: string }) => void steps.push(step) }
  return { done: await fetchFromHub(wanted as Parameters<typeof fetchFromHub>[0], options), steps }
}

describe('weights for a rollout', () => {
  it('come into the cache of the engine’s own environment, with progress', async () => {
    const { done, steps } = await fetched('org/m', {})
    expect(done).toBe(true)
    expect(steps).toContain('model.safetensors')
    expect(existsSync(join(folder, 'hf/hub/models--org--m/snapshots', commit, 'model.safetensors'))).toBe(true)
  })

  it('are those of the quantisation, where llama-server looks', async () => {
    await fetched('hf:org/m-GGUF:Q4_K_M', { LLAMA_CACHE: join(folder, 'llama') })
    const snapshot = join(folder, 'llama/models--org--m-GGUF/snapshots', commit)
    expect(existsSync(join(snapshot, 'm-Q4_K_M.gguf'))).toBe(true)
    expect(existsSync(join(snapshot, 'm-Q8_0.gguf'))).toBe(false)
  })

  it('are somebody else’s to bring where they are no model of a hub', async () => {
    expect((await fetched('llama3.2:latest', {})).done).toBe(false)
    expect(hub.asked).toEqual([])
  })

  it('are fetched on the machine of the engine, by its own hf', async () => {
    const command = (name: string, script: string): void => writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    command('ssh', 'for last; do :; done; exec /bin/sh -c "$last"')
    command('hf', `printf '%s\\n' "$HF_HOME" "$@" > '${folder}/hf-args'; echo "fetching" >&2; echo '/there/snapshots/${commit}'`)
    vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`)
    const group = { host: { name: 'box', ssh: { host: 'box' } }, launch: { settings: { revision: 'main' } } }
    const { done, steps } = await fetched('org/m', { HF_HOME: '/data' }, group)
    vi.unstubAllEnvs()
    expect({ done, steps }).toEqual({ done: true, steps: ['box: fetching'] })
    expect(readFileSync(join(folder, 'hf-args'), 'utf8')).toMatch(/^\/data\ndownload\norg\/m\n[^]*--revision\nmain\n$/)
  })

  it('that the hub refuses are told as it tells them', async () => {
    await expect(fetched('org/gone', {})).rejects.toMatchObject({ hint: expect.stringMatching(/./) })
  })
})
