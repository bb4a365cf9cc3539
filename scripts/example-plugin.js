// From nothing to a served answer with an engine, a strategy and a metric of one's own, as their author would go: `npm run example:plugin`.
// Everything happens in a folder of its own that goes away, and without a network: our packages are packed and unpacked, others are those of this checkout.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const repository = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'lb-example-plugin-'))
const npmScript = join(repository, 'node_modules/npm/bin/npm-cli.js')
const ours = ['core', 'testkit']

/** No registry answers at this address: whoever asks it fails. */
const NOWHERE = 'http://127.0.0.1:9'

const env = {
  PATH: [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter).filter((path) => !path.includes('node_modules'))].join(
    delimiter,
  ),
  HOME: join(folder, 'home'),
  LANG: 'C.UTF-8',
  NO_COLOR: '1',
  XDG_RUNTIME_DIR: join(folder, 'run'),
  XDG_STATE_HOME: join(folder, 'state'),
  XDG_CONFIG_HOME: join(folder, 'config'),
  XDG_CACHE_HOME: join(folder, 'cache'),
  XDG_DATA_HOME: join(folder, 'data'),
  npm_config_registry: NOWHERE,
  npm_config_cache: join(folder, 'npm'),
  npm_config_update_notifier: 'false',
}
const work = join(folder, 'work')

function say(text) {
  process.stdout.write(`${text}\n`)
}

async function command(shown, program, args, cwd) {
  const startedAtMs = performance.now()
  const { stdout } = await run(program, args, { cwd, env, timeout: 120_000, maxBuffer: 16 * 1024 * 1024 })
  say(`$ ${shown}   (${((performance.now() - startedAtMs) / 1000).toFixed(1)} s)`)
  return stdout
}

const lb = (...args) => command(`lb ${args.join(' ')}`, join(repository, 'bin/lb'), args, work)
const npm = (args, cwd) => command(`npm ${args.join(' ')}`, process.execPath, [npmScript, ...args, '--loglevel=error'], cwd)

/** What `npm install` would do: our packages from their package files, the others as links to what this checkout holds. */
async function install(plugin) {
  const modules = join(plugin, 'node_modules')
  mkdirSync(join(modules, '@plimsoll'), { recursive: true })
  for (const name of ours) {
    await npm(['pack', '--silent', '--pack-destination', folder], join(repository, 'packages', name))
    mkdirSync(join(modules, '@plimsoll', name))
    const packed = readdirSync(folder).find((file) => file.startsWith(`plimsoll-${name}-`))
    await run('tar', ['-xzf', join(folder, packed), '--strip-components=1', '-C', join(modules, '@plimsoll', name)])
  }
  const wanted = ours.flatMap((name) =>
    Object.keys(JSON.parse(readFileSync(join(modules, '@plimsoll', name, 'package.json'), 'utf8')).dependencies ?? {}),
  )
  for (const name of [...wanted, 'typescript', '@types/node']) {
    const link = join(modules, name)
    mkdirSync(dirname(link), { recursive: true })
    if (!existsSync(link)) symlinkSync(join(repository, 'node_modules', name), link)
  }
  mkdirSync(join(modules, '.bin'))
  symlinkSync(join(repository, 'node_modules/.bin/tsc'), join(modules, '.bin/tsc'))
}

const topology = `gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [echo]
    strategy: { name: fill-up, limit: 3 }
    rollout: { judge: { metrics: [{ name: short, plugin: short-answers, max: 0.9 }] } }
    nodes:
      - { name: echo, engine: echo, launch: { replicas: 2, args: { wordMs: 1 } } }
`

function must(fine, what) {
  if (!fine) throw new Error(what)
}

/** Its package file lies in its folder then. */
async function write(name, ...flags) {
  await lb('init', 'plugin', name, ...flags)
  const plugin = join(work, `lb-plugin-${name}`)
  await install(plugin)
  const tested = await npm(['test'], plugin)
  must(/^# fail 0$|^ℹ fail 0$/m.test(tested), `its tests fail:\n${tested}`)
  await npm(['pack', '--silent', '--ignore-scripts'], plugin)
}

async function example() {
  for (const name of ['home', 'run', 'work']) mkdirSync(join(folder, name), { mode: 0o700 })
  await write('echo')
  await write('fill-up', '--strategy')
  await write('short-answers', '--metric')
  writeFileSync(join(work, 'lb.yaml'), topology)
  const unknown = await lb('plan').then(
    () => '',
    (error) => error.stderr,
  )
  must(unknown.includes('lb plugins install lb-plugin-echo'), `lb plan without the plugin said:\n${unknown}`)
  await lb('plugins', 'install', 'file:lb-plugin-echo/lb-plugin-echo-0.1.0.tgz')
  await lb('plugins', 'install', 'file:lb-plugin-fill-up/lb-plugin-fill-up-0.1.0.tgz')
  await lb('plugins', 'install', 'file:lb-plugin-short-answers/lb-plugin-short-answers-0.1.0.tgz')
  must((await lb('strategies', 'fill-up')).includes('limit'), 'its strategy cannot be seen')
  await lb('up', '--detach')
  const answer = await lb('ask', 'Is there anybody?')
  say(`  ${answer.trim()}`)
  must(answer.includes('You said: Is there anybody?'), `it answered:\n${answer}`)
  await lb('down')
  await lb('plugins', 'uninstall', 'lb-plugin-short-answers')
  await lb('plugins', 'uninstall', 'lb-plugin-fill-up')
  await lb('plugins', 'uninstall', 'lb-plugin-echo')
  const engines = await lb('engines')
  must(!/^echo\b/m.test(engines), `it is still there:\n${engines}`)
  say('An engine, a strategy and a metric were written, built, tested, packed, installed, used and removed.')
}

try {
  await example()
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`${error.stack ?? error}\n${error.stdout ?? ''}${error.stderr ?? ''}\n`)
  await run(join(repository, 'bin/lb'), ['down', '--force'], { cwd: work, env, timeout: 30_000 }).catch(() => undefined)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
