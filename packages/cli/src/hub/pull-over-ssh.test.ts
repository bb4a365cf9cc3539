import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hubSettings, pullOverSsh, pullRepository } from './index.js'
import { bytesOf, ScriptedHub } from './scripted-hub.test.fixture.js'

const commit = 'c'.repeat(40)
let folder: string
let hub: ScriptedHub

/** An ssh that leads to this machine, and an `hf` that writes down how it was called. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lb-over-ssh-'))
  hub = await new ScriptedHub({ 'org/m': { files: { 'model.safetensors': bytesOf('w', 5000), 'a b.json': Buffer.from('{}') } } }).listen()
  command('ssh', `printf '%s\\n' "$@" > '${folder}/ssh-args'; for last; do :; done; exec /bin/sh -c "$last"`)
  command(
    'hf',
    `printf '%s\\n' "$HF_TOKEN" "$HF_HOME" "$@" > '${folder}/hf-args'; echo "fetching 2 files" >&2; echo '/there/snapshots/${commit}'`,
  )
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await hub.close()
  rmSync(folder, { recursive: true, force: true })
})

function command(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, name), 0o755)
}

const settings = () => hubSettings({ HF_ENDPOINT: hub.url, HF_HOME: join(folder, 'hf-home'), HF_TOKEN: 'secret' })
const pull = (signal: AbortSignal = AbortSignal.timeout(15_000), steps: string[] = []) =>
  pullOverSsh({
    place: { host: 'gpu-box', user: 'me', port: 2222, configFile: '/c', venv: '/opt/it is' },
    reference: { repo: 'org/m' },
    settings: settings(),
    variables: { HF_HOME: "/data/it's" },
    signal,
    onStep: (step) => void steps.push(step),
  })

describe('a model fetched on another machine', () => {
  it('is fetched by its own hf, the files and the hash being those of everywhere', async () => {
    const steps: string[] = []
    const pulled = await pull(undefined, steps)
    const here = await pullRepository({
      reference: { repo: 'org/m' },
      settings: settings(),
      signal: AbortSignal.timeout(15_000),
      onProgress: () => undefined,
    })
    expect(pulled).toEqual({ commit, contentHash: here.contentHash, folder: `/there/snapshots/${commit}`, bytes: 5002 })
    expect(steps).toEqual(['fetching 2 files'])
    expect(readFileSync(join(folder, 'hf-args'), 'utf8').trim().split('\n')).toEqual([
      'secret',
      "/data/it's",
      'download',
      'org/m',
      'model.safetensors',
      'a b.json',
      '--revision',
      'main',
    ])
  })

  it('shows its token to no command line', async () => {
    await pull()
    const args = readFileSync(join(folder, 'ssh-args'), 'utf8')
    expect(args.startsWith('-F\n/c\n-p\n2222\n--\nme@gpu-box\n')).toBe(true)
    expect(args).not.toContain('secret')
  })

  it.each([
    ['echo "401 Client Error: gated" >&2; exit 1', /gpu-box cannot fetch the model: 401 Client Error: gated/],
    ['exit 127', /there is no `hf` there/],
    ["echo '/there/snapshots/other'", /another state/],
  ])('fails with what was said over there: %s', async (script, message) => {
    command('hf', script)
    await expect(pull()).rejects.toMatchObject({ code: 'LB_REMOTE_PULL_FAILED', message })
  })

  it.skipIf(process.platform !== 'linux')('ends over there too when it is interrupted', async () => {
    command('hf', `echo $$ > '${folder}/pid'; exec sleep 60`)
    const interrupt = new AbortController()
    const pulling = pull(interrupt.signal)
    await expect
      .poll(() => existsSync(join(folder, 'pid')) && readFileSync(join(folder, 'pid'), 'utf8') !== '', { timeout: 10_000 })
      .toBe(true)
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    interrupt.abort(new Error('enough'))
    await expect(pulling).rejects.toThrow('enough')
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false)
  })
})
