/** What `import '@plimsoll/core'` costs a program that embeds the balancer. Measured on what is published: the build. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from './source-file.js'

const recorder = pathToFileURL(join(root, 'test/examples/record-loads.mjs')).href
const entry = (path: string) => pathToFileURL(join(root, path)).href

let folder = ''
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'plimsoll-cost-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function node(args: readonly string[], script: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const all = [...args, '--input-type=module', '--eval', script]
  return (await promisify(execFile)(process.execPath, all, { cwd: root, env: { ...process.env, ...env }, timeout: 30_000 })).stdout
}

async function packagesLoadedBy(url: string): Promise<ReadonlySet<string | undefined>> {
  const list = join(folder, `${encodeURIComponent(url)}.txt`)
  await node(['--import', recorder], `await import(${JSON.stringify(url)})`, { LOADED_MODULES: list })
  return new Set(
    readFileSync(list, 'utf8')
      .split('\n')
      .map((each) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(each)?.[1]),
  )
}

const own = ['packages/core/dist/bundle/index.js', 'packages/core/dist/bundle/plugin.js']

describe('importing the library', () => {
  it.each(own)('%s loads no other package', async (path) => {
    const loaded = await packagesLoadedBy(entry(path))
    expect([...loaded].filter((name) => name !== undefined)).toEqual([])
  })

  it('is seen by the recorder when it does load one', async () => {
    expect(await packagesLoadedBy('yaml')).toContain('yaml')
  })

  it('starts nothing: the program ends by itself, in silence, with no listener added', async () => {
    const script = `
      const before = process.eventNames().length
      await import(${JSON.stringify(entry('packages/core/dist/bundle/index.js'))})
      process.stdout.write(String(process.eventNames().length - before) + ' ' + process.getActiveResourcesInfo().filter((name) => /Timeout|Server|Socket|Child/.test(name)).length)`
    expect(await node([], script)).toBe('0 0')
  })

  it('takes less CPU than one and a half times what as many modules of two lines take', async () => {
    const count = readdirSync(join(root, 'packages/core/dist'), { recursive: true, encoding: 'utf8' }).filter(isShipped).length
    const names = Array.from({ length: count }, (_, index) => `small-${index}.mjs`)
    for (const name of names) writeFileSync(join(folder, name), `export const value = 1\n// ${'x'.repeat(2_000)}\n`)
    writeFileSync(join(folder, 'small.mjs'), names.map((name, index) => `export * as m${index} from './${name}'`).join('\n'))
    const cpuMs = async (url: string): Promise<number> => {
      const script = `
        const before = process.cpuUsage()
        await import(${JSON.stringify(url)})
        const { user, system } = process.cpuUsage(before)
        process.stdout.write(String((user + system) / 1000))`
      return Number(await node([], script))
    }
    // In turn, so that a noise on the machine meets both, and often enough that each meets a quiet moment.
    const small: number[] = []
    const own: number[] = []
    while (own.length < 10) {
      small.push(await cpuMs(pathToFileURL(join(folder, 'small.mjs')).href))
      own.push(await cpuMs(entry('packages/core/dist/bundle/index.js')))
    }
    expect(Math.min(...own) / Math.min(...small)).toBeLessThan(1.5)
  })
})

const isShipped = (path: string): boolean => path.endsWith('.js') && !path.includes('.test.') && !path.startsWith('bundle/')
