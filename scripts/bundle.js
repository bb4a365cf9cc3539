/**
 * Joins what `tsc -b` built of packages/core into few files, dist/bundle, which is what its exports name: a process that loads 700 modules one by one
 * takes 130 ms of CPU and 15 MB more (docs/decisions/2026-11-22-few-files.md). Does nothing where nothing changed.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const dist = fileURLToPath(new URL('../packages/core/dist/', import.meta.url))
/** What the package exports, and what it starts as a thread or a process of its own. */
const entries = [
  'index',
  'client',
  'keeper',
  'plugin',
  'routing',
  'balancer/data-thread',
  'topology/change-group-thread',
  'machines/ssh/remote-engine',
]
const input = Object.fromEntries(entries.map((path) => [path.replace(/.*\//, ''), join(dist, `${path}.js`)]))
const folder = join(dist, 'bundle')
const stamp = join(dist, '.bundled')

/** @param {string} path */
const changedAtMs = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

function isFresh() {
  const built = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.js') && !path.startsWith('bundle'),
  )
  const newestMs = Math.max(changedAtMs(fileURLToPath(import.meta.url)), ...built.map((path) => changedAtMs(join(dist, path))))
  return newestMs < changedAtMs(stamp)
}

/** Each file in one step: what starts meanwhile finds every one, old or new. @param {import('rolldown').OutputChunk | import('rolldown').OutputAsset} file */
function put(file) {
  const path = join(folder, file.fileName)
  writeFileSync(`${path}.${process.pid}`, file.type === 'chunk' ? file.code : file.source)
  renameSync(`${path}.${process.pid}`, path)
}

if (!isFresh()) {
  const bundle = await rolldown({ input, platform: 'node', external: (id) => !/^(?:[./]|[A-Z]:)/.test(id) })
  const { output } = await bundle.generate({ entryFileNames: '[name].js', chunkFileNames: '[name].js' })
  await bundle.close()
  mkdirSync(folder, { recursive: true })
  for (const file of output) put(file)
  const names = new Set(output.map((file) => file.fileName))
  for (const name of readdirSync(folder)) if (name.endsWith('.js') && !names.has(name)) rmSync(join(folder, name))
  writeFileSync(stamp, '')
}
