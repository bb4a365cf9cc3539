/** Strangers' engines through the real `lb`: installed, linked, removed, and what happens where they are broken. No registry is reachable in here. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { House, repository, until } from './house.js'

let house: House

beforeEach(() => {
  house = new House()
  house.env['npm_config_registry'] = 'http://127.0.0.1:9'
  house.env['npm_config_cache'] = join(house.folder, 'npm')
})

afterEach(() => house.close())

/** An engine in one file: `serve` is its server, the rest is the plugin. `how` is put into its backend. */
const pluginSource = (how = '', before = '') => `
import { fileURLToPath } from 'node:url'
import { openaiDialect } from '@plimsoll/core/plugin'
${before}
export const plugin = {
  apiVersion: 1,
  engine: 'tiny',
  settings: { type: 'object', additionalProperties: false, properties: {} },
  canLaunch: true,
  summary: 'tiny: an engine of the tests',
  createBackend: (spec, host) => ({
    launchPlan: (slot) => ({ command: process.execPath, args: [fileURLToPath(new URL('serve.mjs', import.meta.url)), String(slot.port)], env: {}, readyWithinMs: 4000 }),
    probe: async (signal) => ((await host.get(spec.url + '/health', { signal })).status === 200 ? { verdict: 'ready' } : { verdict: 'sick', reason: 'no' }),
    minProbeIntervalMs: 50,
    dialect: openaiDialect(),
    ${how}
  }),
}
`
const serverSource = `
import { createServer } from 'node:http'
createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ id: 'c', object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: 'tiny says hello' }, finish_reason: 'stop' }] }))
}).listen(Number(process.argv[2]), '127.0.0.1')
`
const manifest = (more: object = {}) => ({
  name: 'lb-plugin-tiny',
  version: '1.0.0',
  type: 'module',
  peerDependencies: { '@plimsoll/core': '>=0.1.0' },
  plimsoll: { apiVersion: 1, engines: { tiny: './index.mjs' } },
  ...more,
})

function folderOf(files: Readonly<Record<string, string>>, name = 'plugin'): string {
  const folder = join(house.folder, name, 'package')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const usualFiles = (source = pluginSource(), more: object = {}) => ({
  'package.json': JSON.stringify(manifest(more)),
  'index.mjs': source,
  'serve.mjs': serverSource,
})

/** As `npm pack` writes them; the name of the file in the working folder. */
function packed(files: Readonly<Record<string, string>>, ...flags: readonly string[]): string {
  const folder = folderOf(files)
  execFileSync('tar', ['-czf', join(house.cwd, 'tiny.tgz'), ...flags, '-C', dirname(folder), 'package'])
  return 'file:tiny.tgz'
}

const topology = (more = '') => `gateway: { listen: 127.0.0.1:0 }
pools:
  tiny:
    models: [tiny-1]
    nodes: [{ name: tiny, engine: tiny, launch: { restarts: { max: 1, within: 1m } } }]
${more}`
const besideSim = topology(`  demo:
    models: [sim-8b]
    nodes: [{ name: sim, engine: sim, launch: {} }]
`)

const chat = async (url: string, model: string, more: object = {}): Promise<{ status: number; text: string }> => {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], ...more })
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return { status: answer.status, text: await answer.text() }
}

/** `lb up` leaves with 1 where a node failed; what can serve does. */
async function upWithFailures(): Promise<string> {
  expect((await house.lb(['up', '--detach'])).code).toBe(1)
  return (await house.status()).gateway.listen[0] ?? ''
}

interface Row {
  readonly id: string
  readonly state: string
  readonly reason: string | null
}

async function rowOf(id: string): Promise<Row | undefined> {
  const { pools } = (await house.status()) as unknown as { pools: readonly { nodes: readonly Row[] }[] }
  return pools.flatMap(({ nodes }) => nodes).find((node) => node.id === id)
}

describe('an installed plugin', () => {
  it('serves its engine, is replaced by a new file of the same version, and is gone when removed, all without a network', async () => {
    const installed = await house.lb(['plugins', 'install', packed(usualFiles())])
    expect(installed).toMatchObject({ code: 0, stdout: 'installed lb-plugin-tiny 1.0.0: engine tiny\n' })
    house.write('lb.yaml', topology())
    const url = await house.up()
    expect(await chat(url, 'tiny-1')).toMatchObject({ status: 200, text: expect.stringContaining('tiny says hello') as string })
    await house.lb(['down'])
    const again = packed({ ...usualFiles(), 'serve.mjs': serverSource.replace('hello', 'goodbye') })
    expect((await house.lb(['plugins', 'install', again, '--json'])).stdout).toMatch(/"engines": \[\s*"tiny"/)
    expect((await chat(await house.up(), 'tiny-1')).text).toContain('tiny says goodbye')
    await house.lb(['down'])
    expect((await house.lb(['plugins', 'uninstall', 'lb-plugin-tiny'])).code).toBe(0)
    const gone = await house.lb(['up', '--detach'])
    expect(gone.code).toBe(2)
    expect(gone.stderr).toContain('no engine plugin brings `tiny`')
    expect(gone.stderr).toContain('lb plugins install lb-plugin-tiny')
    expect(house.survivors()).toEqual([])
  })

  it('may bring its own copy of core', async () => {
    const folder = folderOf(
      usualFiles(undefined, { dependencies: { '@plimsoll/core': '0.1.0' }, peerDependencies: {}, bundleDependencies: ['@plimsoll/core'] }),
    )
    const own = join(folder, 'node_modules/@plimsoll/core')
    mkdirSync(own, { recursive: true })
    execFileSync('cp', ['-r', ...['package.json', 'dist', 'lb.schema.json'].map((name) => join(repository, 'packages/core', name)), own])
    execFileSync('tar', ['-czf', join(house.cwd, 'tiny.tgz'), '-C', dirname(folder), 'package'])
    // The packages that core needs come out of this checkout: a registry is not in here.
    mkdirSync(join(house.folder, 'data/plimsoll'), { recursive: true })
    const installed = await house.lb(['plugins', 'install', 'file:tiny.tgz'])
    expect(installed.stdout + installed.stderr).toContain('installed lb-plugin-tiny')
    house.write('lb.yaml', topology())
    expect(await chat(await house.up(), 'tiny-1')).toMatchObject({ status: 200 })
  })

  it('that needs what is not here is not installed, and leaves nothing', async () => {
    const result = await house.lb([
      'plugins',
      'install',
      packed(usualFiles(undefined, { dependencies: { 'not-on-this-machine': '1.0.0' } })),
    ])
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/was not installed.*not-on-this-machine/s)
    expect(result.stderr).toContain('bundleDependencies')
    expect((await house.lb(['engines'])).stdout).not.toMatch(/^tiny/m)
  })

  it('made for another core says so', async () => {
    const result = await house.lb(['plugins', 'install', packed(usualFiles(undefined, { peerDependencies: { '@plimsoll/core': '>=99' } }))])
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('lb-plugin-tiny@1.0.0 wants @plimsoll/core@>=99')
  })

  it('finds the core of an lb that was installed anew', async () => {
    await house.lb(['plugins', 'install', packed(usualFiles())])
    const link = join(house.folder, 'data/plimsoll/node_modules/@plimsoll/core')
    rmSync(link)
    symlinkSync(join(house.folder, 'an-older-lb'), link)
    house.write('lb.yaml', topology())
    expect(await chat(await house.up(), 'tiny-1')).toMatchObject({ status: 200 })
  })
})

describe('a linked plugin', () => {
  it('is used from its folder until it is taken out', async () => {
    const folder = folderOf(usualFiles())
    mkdirSync(join(folder, 'node_modules/@plimsoll'), { recursive: true })
    symlinkSync(join(repository, 'packages/core'), join(folder, 'node_modules/@plimsoll/core'))
    expect(await house.lb(['plugins', 'link', folder])).toMatchObject({ code: 0, stdout: 'linked lb-plugin-tiny 1.0.0: engine tiny\n' })
    expect((await house.lb(['engines'])).stdout).toMatch(/^tiny +launch, attach/m)
    house.write('lb.yaml', topology())
    expect(await chat(await house.up(), 'tiny-1')).toMatchObject({ status: 200 })
    await house.lb(['down'])
    expect((await house.lb(['plugins', 'uninstall', folder])).code).toBe(0)
    expect((await house.lb(['engines'])).stdout).not.toMatch(/^tiny/m)
  })
})

describe('a bad package', () => {
  const usual = usualFiles()
  it.each<[string, Readonly<Record<string, string>>, readonly string[], RegExp]>([
    ['without package.json', { 'index.mjs': '' }, [], /tiny\.tgz is broken: it holds no package\.json/],
    [
      'that is no plugin',
      { ...usual, 'package.json': JSON.stringify(manifest({ plimsoll: undefined })) },
      [],
      /lb-plugin-tiny is broken: it is no Plimsoll plugin/,
    ],
    [
      'of another API',
      { ...usual, 'package.json': JSON.stringify(manifest({ plimsoll: { apiVersion: 2, engines: {} } })) },
      [],
      /lb-plugin-tiny is broken.*apiVersion is 2, this lb speaks 1/,
    ],
    [
      'whose engine is not in it',
      { 'package.json': usual['package.json'] },
      [],
      /lb-plugin-tiny is broken: its file \.\/index\.mjs for engine `tiny` is not in/,
    ],
    [
      'whose engine lies elsewhere',
      { ...usual, 'package.json': JSON.stringify(manifest({ plimsoll: { apiVersion: 1, engines: { tiny: './../../x.mjs' } } })) },
      [],
      /lb-plugin-tiny is broken.*stay in the package/,
    ],
    ['that writes elsewhere', usual, ['--transform=s,package/serve,package/../../../serve,'], /tiny\.tgz is broken.*leaves the package/],
    [
      'that brings an engine that is there',
      { ...usual, 'package.json': JSON.stringify(manifest({ plimsoll: { apiVersion: 1, engines: { sim: './index.mjs' } } })) },
      [],
      /two plugins bring the engine `sim`: @plimsoll\/plugin-sim and lb-plugin-tiny/,
    ],
  ])('%s is named and changes nothing', async (_title, files, flags, message) => {
    const result = await house.lb(['plugins', 'install', packed(files, ...flags)])
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(message)
    expect((await house.lb(['plugins'])).stdout).not.toContain('lb-plugin-tiny')
    expect((await house.lb(['engines'])).code).toBe(0)
  })

  it('that is not there, or is a folder, is named', async () => {
    expect(await house.lb(['plugins', 'install', 'file:gone.tgz'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no file .*gone\.tgz/) as string,
    })
    expect((await house.lb(['plugins', 'install', 'file:.'])).stderr).toMatch(/is a folder.*lb plugins link/s)
    expect(await house.lb(['plugins', 'install', '--', '--registry=http://127.0.0.1:9'])).toMatchObject({ code: 2 })
    expect(await house.lb(['plugins', 'uninstall', 'lb-plugin-gone'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not installed') as string,
    })
  })
})

describe('a plugin that fails hurts its own nodes only, and is named:', () => {
  const endless = 'new Promise(() => undefined)'
  it.each<[string, string, RegExp]>([
    ['at import', pluginSource('', `throw new Error('no libtiny here')`), /plugin for engine `tiny` does not load: no libtiny here/],
    [
      'in createBackend',
      pluginSource().replace(
        'createBackend: (spec, host) => ({',
        `createBackend: (spec, host) => { throw new Error('no luck') }, x: (spec, host) => ({`,
      ),
      /plugin of engine `tiny` failed for tiny\/tiny: no luck/,
    ],
    [
      'with a backend that is none',
      pluginSource('minProbeIntervalMs: 0,'),
      /engine `tiny` failed for tiny\/tiny: its minProbeIntervalMs is 0/,
    ],
    ['in launchPlan', pluginSource(`launchPlan: () => { throw new Error('no plan') },`), /no plan/],
  ])('%s', async (_title, source, message) => {
    expect((await house.lb(['plugins', 'install', packed(usualFiles(source))])).code).toBe(0)
    house.write('lb.yaml', besideSim)
    const url = await upWithFailures()
    expect(await chat(url, 'sim-8b')).toMatchObject({ status: 200 })
    await until(async () => (await rowOf('tiny/tiny'))?.state === 'failed')
    expect((await rowOf('tiny/tiny'))?.reason).toMatch(message)
    expect((await chat(url, 'tiny-1')).status).toBe(503)
    expect((await chat(url, 'sim-8b')).status).toBe(200)
  })

  it.each<[string, string, RegExp]>([
    [
      'throws',
      `probe: () => { throw new TypeError('spec.uri is undefined') },`,
      /plugin of engine `tiny` failed in its probe: spec\.uri is undefined/,
    ],
    ['answers nonsense', `probe: async () => 'fine',`, /plugin of engine `tiny` failed in its probe: it answered "fine"/],
    ['never answers', `probe: () => ${endless},`, /no answer to a probe within 300 ms/],
  ])('in a probe that %s', async (_title, how, message) => {
    const source = pluginSource(how).replace('readyWithinMs: 4000', 'readyWithinMs: 1000')
    expect((await house.lb(['plugins', 'install', packed(usualFiles(source))])).code).toBe(0)
    house.write('lb.yaml', besideSim.replace('    models: [tiny-1]\n', '    models: [tiny-1]\n    health: { timeout: 300ms }\n'))
    const url = await upWithFailures()
    expect(await chat(url, 'sim-8b')).toMatchObject({ status: 200 })
    await until(async () => message.test((await rowOf('tiny/tiny'))?.reason ?? ''))
    expect((await rowOf('tiny/tiny'))?.state).not.toBe('ready')
    expect((await chat(url, 'sim-8b')).status).toBe(200)
  })

  it('at import, with data threads', async () => {
    await house.lb(['plugins', 'install', packed(usualFiles(pluginSource('', `throw new Error('no libtiny here')`)))])
    house.write('lb.yaml', besideSim.replace('127.0.0.1:0 }', '127.0.0.1:0, workers: 2 }'))
    const url = await upWithFailures()
    expect((await rowOf('tiny/tiny'))?.reason).toContain('no libtiny here')
    for (let count = 0; count < 8; count += 1) expect((await chat(url, 'sim-8b')).status).toBe(200)
    const plan = await house.lb(['plan'])
    expect(plan.stdout + plan.stderr).toContain('the plugin for engine `tiny` does not load: no libtiny here')
  })

  it('in each function of its dialect', async () => {
    const fail = "() => { throw new Error('no idea') }"
    const how = `dialect: openaiDialect({ classify: ${fail}, streamEnd: ${fail}, isUnserved: ${fail} }),`
    await house.lb(['plugins', 'install', packed(usualFiles(pluginSource(how)))])
    house.write('lb.yaml', besideSim)
    const url = await house.up()
    const { pid } = await house.status()
    for (let count = 0; count < 4; count += 1) {
      expect(await chat(url, 'tiny-1')).toMatchObject({ status: 200, text: expect.stringContaining('tiny says hello') as string })
      expect((await chat(url, 'tiny-1', { stream: true })).status).toBe(200)
    }
    expect((await chat(url, 'sim-8b')).status).toBe(200)
    expect((await house.status()).pid).toBe(pid)
    expect(house.logs()).toMatch(/plugin\.dialect_failed.*"engine":"tiny".*"what":"classify"/)
  })

  it('in detect, by waiting for ever', async () => {
    const source = pluginSource().replace('canLaunch: true,', `canLaunch: true, detect: () => ${endless},`)
    await house.lb(['plugins', 'install', packed(usualFiles(source))])
    const { stdout, code } = await house.lb(['engines'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^tiny .*did not look within 3 s/m)
    expect(stdout).toMatch(/^sim /m)
  })
})
