import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LbError, messageOf, type EnginePlugin } from '@plimsoll/core'
import { importEngines } from '../keeper/import-engines.js'

/** An engine that an installed package says it brings; known from its package.json alone, no code of it has run. */
export interface InstalledEngine {
  readonly engine: string
  readonly packageName: string
  readonly packageVersion: string
  /** Absolute path of the module that exports `plugin`. */
  readonly modulePath: string
}

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly plimsoll?: unknown
}

const ownRoot = fileURLToPath(new URL('../..', import.meta.url))

/** Engines of this package's own dependencies and of the plugins in `pluginRoots`, by name. Throws LB_BAD_PLUGIN, LB_ENGINE_DUPLICATE. */
export function installedEngines(pluginRoots: readonly string[], root = ownRoot): ReadonlyMap<string, InstalledEngine> {
  const own = Object.keys(readManifest(root).dependencies ?? {}).flatMap((name) => findPackage(name, root) ?? [])
  const found = [...own, ...pluginRoots].flatMap((folder) => enginesIn(folder))
  const byName = new Map<string, InstalledEngine>()
  for (const engine of found) {
    const other = byName.get(engine.engine)
    if (other !== undefined && other.modulePath !== engine.modulePath) throw duplicate(engine, other)
    byName.set(engine.engine, engine)
  }
  return byName
}

/** Imports the plugins of these engines. A module that fails is named. */
export async function loadEngines(engines: readonly InstalledEngine[]): Promise<EnginePlugin[]> {
  return importEngines(engineModules(engines))
}

/** Engine name to module path, as the balancer process takes it. */
export function engineModules(engines: readonly InstalledEngine[]): Record<string, string> {
  return Object.fromEntries(engines.map((each) => [each.engine, each.modulePath]))
}

function enginesIn(folder: string): InstalledEngine[] {
  const manifest = readManifest(folder)
  if (manifest.plimsoll === undefined) return []
  const packageName = manifest.name ?? folder
  return Object.entries(declared(manifest.plimsoll, packageName)).map(([engine, path]) => {
    const modulePath = join(folder, path)
    if (!existsSync(modulePath)) throw bad(packageName, `its file ${path} for engine \`${engine}\` does not exist`)
    return { engine, packageName, packageVersion: manifest.version ?? '', modulePath }
  })
}

/** The `plimsoll` field, checked by hand: five lines cost less than loading a schema library. */
function declared(field: unknown, packageName: string): Record<string, string> {
  const { apiVersion, engines } = (typeof field === 'object' && field !== null ? field : {}) as Record<string, unknown>
  if (apiVersion !== 1) throw bad(packageName, `its plimsoll.apiVersion is ${String(apiVersion)}, this lb speaks 1`)
  if (engines === undefined) return {}
  if (typeof engines !== 'object' || engines === null) throw bad(packageName, 'its plimsoll.engines is no object')
  for (const [engine, path] of Object.entries(engines)) {
    if (!/^[a-z][a-z0-9-]*$/.test(engine)) throw bad(packageName, `\`${engine}\` is no engine name (lower case, digits, dashes)`)
    if (typeof path !== 'string' || !path.startsWith('./') || path.includes('..'))
      throw bad(packageName, `the path of engine \`${engine}\` must start with ./`)
  }
  return engines as Record<string, string>
}

/** Looks where Node.js would, but for the folder itself: a package need not export its package.json. */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return candidate
    if (dirname(folder) === folder) return undefined
  }
}

function readManifest(folder: string): Manifest {
  const path = join(folder, 'package.json')
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest
  } catch (cause) {
    throw bad(folder, `${path} cannot be read: ${messageOf(cause)}`)
  }
}

function bad(packageName: string, why: string): LbError {
  const hint = `ask its author, or remove it: lb plugins uninstall ${packageName}`
  return new LbError(`the plugin ${packageName} is broken: ${why}`, { code: 'LB_BAD_PLUGIN', source: 'operator', hint })
}

function duplicate(one: InstalledEngine, other: InstalledEngine): LbError {
  return new LbError(`two plugins bring the engine \`${one.engine}\`: ${other.packageName} and ${one.packageName}`, {
    code: 'LB_ENGINE_DUPLICATE',
    source: 'operator',
    hint: `remove one: lb plugins uninstall ${one.packageName}`,
  })
}
