// Entry of `lb` on Node.js. Nothing modern is imported statically: an old Node.js must still reach the line that says so.
import { existsSync, readFileSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

const root = new URL('../', import.meta.url)
const argument = process.argv[2]

function refuse(text) {
  process.stderr.write(`lb: ${text}\n`)
  process.exit(1)
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  refuse(
    `Node.js ${process.versions.node} is too old, 22.12 is the oldest that works; install a newer one, or start lb through its own bin/lb, which brings one`,
  )
}

if (argument === '--version' || argument === '-V') {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
  process.stdout.write(`lb ${version} ${process.platform}-${process.arch} node-${process.versions.node}\n`)
} else {
  await start()
}

async function start() {
  if (!hasFolder()) refuse('the folder that this shell stands in was removed; cd to one that is there')
  if (!existsSync(new URL('dist/commands/index.js', root))) refuse('this checkout is not built yet; run `npm run build` in its root')
  // A folder of the user's own: the default lies under the shared temp folder.
  nodeModule.enableCompileCache?.(join(cacheRoot(), 'plimsoll', 'compiled'))
  const [{ run }, { flush }, { handle }, { settings }] = await Promise.all([
    import('@oclif/core/run'),
    import('@oclif/core/flush'),
    import('@oclif/core/handle'),
    import('@oclif/core/settings'),
  ])
  settings.enableAutoTranspile = false
  const args = process.argv.slice(2)
  try {
    await run(args, import.meta.url)
  } catch (error) {
    const { isExit, showError } = await import('../dist/show-error.js')
    if (isExit(error)) await handle(error)
    else showError(error, args)
  }
  await flush()
}

function hasFolder() {
  try {
    return process.cwd() !== ''
  } catch {
    return false
  }
}

function cacheRoot() {
  const given = process.env.XDG_CACHE_HOME
  return given?.startsWith('/') ? given : join(process.env.HOME ?? homedir(), '.cache')
}
