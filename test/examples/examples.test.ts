import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const recorder = pathToFileURL(at('test/examples/record-loads.mjs')).href

let folder = ''
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'plimsoll-examples-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function runExample(name: string): Promise<{ readonly stdout: string; readonly stderr: string; readonly loaded: readonly string[] }> {
  const list = join(folder, `${name}.txt`)
  const env = { ...process.env, LOADED_MODULES: list, XDG_RUNTIME_DIR: folder, XDG_STATE_HOME: folder }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', recorder, at(`examples/${name}.mjs`)], {
    env,
    timeout: 60_000,
  })
  return { stdout, stderr, loaded: readFileSync(list, 'utf8').split('\n') }
}

const packageOf = (url: string) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]

describe('the examples', () => {
  it.each(['node-http', 'express', 'hono'])('%s serves one answer through its framework and ends by itself', async (name) => {
    const { stdout, stderr, loaded } = await runExample(name)
    expect(stdout).toBe('demo/engine: Hello from behind the balancer.\n')
    expect(stderr).toBe('')
    const packages = new Set(loaded.map(packageOf))
    // The recorder is known to work: the framework itself is on its list.
    if (name !== 'node-http') expect(packages).toContain(name)
    expect(loaded.some((url) => url.endsWith('/packages/core/dist/bundle/index.js'))).toBe(true)
    for (const absent of ['execa', 'ink', 'react', '@oclif/core', 'got', 'cosmiconfig']) expect(packages).not.toContain(absent)
    expect(loaded.filter((url) => url.includes('/packages/cli/'))).toEqual([])
  })
})
