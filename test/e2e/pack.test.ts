/** What people install: every package packed, the tarballs installed into an empty folder under the system's own Node.js, and one question answered. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, repository } from './house.js'

const run = promisify(execFile)

/** PATH without node_modules/.bin: `node` and `npm` are the system's. */
const systemPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter)

const environment = { ...withoutNpm(process.env), PATH: systemPath }

async function canReachRegistry(): Promise<boolean> {
  return run('npm', ['view', 'yaml@2.9.1', 'version'], { env: environment, timeout: 60_000 }).then(
    () => true,
    () => false,
  )
}

const reachable = await canReachRegistry()
const reason = reachable ? '' : ' (skipped: npm reaches no registry)'

describe.skipIf(!reachable)(`the packed packages${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lb-pack-'))
  const prefix = join(folder, 'installed')
  const house = new House()
  house.env['PATH'] = systemPath
  const lb = async (...args: readonly string[]) => {
    const { stdout } = await run(join(prefix, 'bin/lb'), args, { cwd: house.cwd, env: house.env, timeout: 90_000 })
    return stdout
  }

  beforeAll(async () => {
    mkdirSync(prefix)
    await run(join(repository, 'scripts/pack-all'), [folder], { cwd: repository, env: environment, timeout: 180_000 })
    const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
    const paths = tarballs.map((name) => join(folder, name))
    await run('npm', ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', ...paths], {
      cwd: folder,
      env: environment,
      timeout: 240_000,
    })
  }, 420_000)

  afterAll(async () => {
    await house.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('are all there', () => {
    const packages = readdirSync(join(repository, 'packages'))
    expect(readdirSync(folder).filter((name) => name.endsWith('.tgz'))).toHaveLength(packages.length)
  })

  it('hold no test, no source map of a test and no build record', async () => {
    const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
    const lists = await Promise.all(tarballs.map((name) => run('tar', ['-tzf', join(folder, name)])))
    const stray = lists
      .flatMap(({ stdout }) => stdout.split('\n'))
      // A new plugin starts with tests, whatever it brings.
      .filter((path) => !/^package\/templates\/(plugin|strategy|metric)\//.test(path))
      .filter((path) => /\.test\.|\.tsbuildinfo|\/testing\/|\/fixtures\//.test(path))
    expect(stray).toEqual([])
  })

  it('hold all of the template of a plugin', async () => {
    const { stdout } = await run('tar', ['-tzf', join(folder, readdirSync(folder).find((name) => name.startsWith('plimsoll-cli-')) ?? '')])
    for (const file of ['package.json', 'gitignore', 'README.md', 'src/index.ts', 'src/contract.test.ts'])
      expect(stdout).toContain(`package/templates/plugin/${file}\n`)
  })

  it('serve and stop after a global install, under both names of the command', async () => {
    expect(await lb('--version')).toMatch(/0\.\d+\.\d+/)
    const { stdout } = await run(join(prefix, 'bin/plimsoll'), ['--version'], { cwd: house.cwd, env: house.env })
    expect(stdout).toMatch(/0\.\d+\.\d+/)
    await lb('up', '--sim', '--detach')
    const answer = await lb('ask', 'What does the load line on a hull say?')
    expect(answer).toMatch(/simulated/i)
    await lb('down')
    expect(house.survivors()).toEqual([])
  }, 240_000)

  it('simulate on the public traces, which come along', async () => {
    const traces = ['azure', 'azure-code', 'mooncake']
    for (const trace of traces)
      expect(await lb('simulate', '--trace', trace, '--requests', '200', '--strategy', 'round-robin')).toMatch(
        new RegExp(`^${trace} .*\nround-robin `, 's'),
      )
  }, 120_000)
})

/** npm tells its children about itself; a fresh shell would not. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(npm_(?!config_registry)|NODE_OPTIONS$|NODE$|INIT_CWD$|VITEST)/.test(name)),
  )
}
