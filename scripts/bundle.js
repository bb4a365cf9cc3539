/**
 * Joins what `tsc -b` built of packages/core into few files, dist/bundle, which is what its exports name: a process that loads 700 modules one by one
 * takes 130 ms of CPU and 15 MB more (docs/decisions/2026-11-22-few-files.md). Does nothing where nothing changed, so that builds at the same time,
 * and processes that start meanwhile, do not meet half a bundle.
 */
import { readdirSync, statSync, writeFileSync } from 'node:fs'
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

if (!isFresh()) {
  const bundle = await rolldown({ input, platform: 'node', external: (id) => !/^[./]/.test(id) && !/^[A-Z]:/.test(id) })
  await bundle.write({ dir: join(dist, 'bundle'), cleanDir: true, entryFileNames: '[name].js', chunkFileNames: '[name].js' })
  await bundle.close()
  writeFileSync(stamp, '')
}
