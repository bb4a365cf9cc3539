import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { LbError } from '@plimsoll/core'

export interface NpmResult {
  readonly code: number | null
  /** Lines that start with `npm error`, without that. */
  readonly errors: readonly string[]
}

/** Runs the npm that Plimsoll brings, in a folder, with the Node.js that runs here. What it prints is kept for the error. */
export function runNpm(folder: string, args: readonly string[]): Promise<NpmResult> {
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--no-update-notifier', '--loglevel=error']
  const child = spawn(process.execPath, [npmScript(), ...args, ...quiet], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      if (text.length < 256 * 1024) text += part
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, errors: errorLines(text) }))
  })
}

/** npm comes with @oclif/plugin-plugins, wherever the installer put it. */
function npmScript(): string {
  const manifestPath = createRequire(import.meta.resolve('@oclif/plugin-plugins')).resolve('npm/package.json')
  const { bin } = JSON.parse(readFileSync(manifestPath, 'utf8')) as { readonly bin: { readonly npm: string } }
  return join(dirname(manifestPath), bin.npm)
}

function errorLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => /^npm err(or|!)/i.test(line))
    .map((line) => line.replace(/^npm err(or|!) ?/i, '').trim())
    .filter((line) => line !== '' && !/complete log of this run|^For a full report|^\/.*-report\.txt$/.test(line))
}

/** Why npm did not install it, in a line that helps. */
export function npmFailure(what: string, result: NpmResult): LbError {
  const why = reasonOf(result)
  const hint = hintFor(result.errors.join('\n'))
  return new LbError(`${what} was not installed: ${why}`, { code: 'LB_PLUGIN_NOT_INSTALLED', source: 'operator', hint })
}

/** Of a conflict, who wants what; else the lines that are meant for people. */
function reasonOf({ errors, code }: NpmResult): string {
  const peer = /^peer (.+) from (.+)$/m.exec(errors.join('\n'))
  if (peer !== null) return `${peer[2] ?? ''} wants ${(peer[1] ?? '').replaceAll('"', '')}, which is not what this lb has`
  const noise = /^(code|syscall|errno|at|While resolving|Found|node_modules\/) /
  const said = errors.filter((line) => !noise.test(line)).slice(0, 4)
  return said.length === 0 ? `npm ended with ${String(code)}` : said.join('; ').slice(0, 1000)
}

function hintFor(text: string): string {
  if (text.includes('ERESOLVE') && text.includes('@plimsoll/core'))
    return 'it was made for another version of Plimsoll: ask its author, or change lb'
  if (/ENOTCACHED|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT/.test(text))
    return 'it needs packages that are not here and no registry answers: let its author bundle them (bundleDependencies), or connect'
  if (text.includes('E404')) return 'no such package; for a file write: lb plugins install file:./NAME.tgz'
  if (text.includes('EACCES')) return 'lb paths shows the folder that must be writable'
  return 'lb engines shows what is installed'
}
