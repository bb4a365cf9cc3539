import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isLbError, LbError, messageOf, type EnginePlugin } from '@plimsoll/core'
import { importEngines } from '../keeper/import-engines.js'
import { keepCoreLink } from './core-link.js'
import { badPlugin, declaredModules, moduleOf, namedModules, type PluginManifest } from './plugin-manifest.js'

/** An engine that an installed package says it brings; known from its package.json alone, no code of it has run. */
export interface InstalledEngine {
  readonly engine: string
  readonly packageName: string
  readonly packageVersion: string
  /** Absolute path of the module that exports `plugin`. */
  readonly modulePath: string
}

/** A package that brings nothing, because it is broken or clashes with another. */
export interface PluginFault {
  readonly packageName: string
  /** Engines that it would bring, as far as that can be read. */
  readonly engines: readonly string[]
  readonly error: LbError
}

export interface EngineInventory {
  readonly engines: ReadonlyMap<string, InstalledEngine>
  /** One broken plugin is no reason to use none. */
  readonly faults: readonly PluginFault[]
}

const ownRoot = fileURLToPath(new URL('../..', import.meta.url))

/** Engines of this package's own dependencies and of the plugins in `pluginRoots`, by name. */
export function installedEngines(pluginRoots: readonly string[], root = ownRoot): EngineInventory {
  const own = Object.keys(manifestIn(root).dependencies ?? {}).flatMap((name) => findPackage(name, root) ?? [])
  const engines = new Map<string, InstalledEngine>()
  const faults: PluginFault[] = []
  for (const folder of pluginRoots) keepCoreLink(folder)
  for (const folder of [...own, ...pluginRoots]) {
    try {
      for (const engine of enginesIn(folder)) {
        const other = engines.get(engine.engine)
        if (other !== undefined && other.modulePath !== engine.modulePath) faults.push(clash(engine, other))
        else engines.set(engine.engine, engine)
      }
    } catch (error) {
      faults.push(faultIn(folder, error))
    }
  }
  // Load order must not decide which of two is meant.
  for (const { engines: names } of faults.filter(({ error }) => error.code === 'LB_ENGINE_DUPLICATE'))
    for (const name of names) engines.delete(name)
  return { engines, faults }
}

/** Imports the plugins of these engines. One that fails is there too: its nodes fail with the reason. */
export async function loadEngines(engines: readonly InstalledEngine[]): Promise<readonly EnginePlugin[]> {
  return (await importEngines(engineModules(engines))).plugins
}

/** Engine name to module path, as the balancer process takes it. */
export function engineModules(engines: readonly InstalledEngine[]): Record<string, string> {
  return Object.fromEntries(engines.map((each) => [each.engine, each.modulePath]))
}

/** The engines of one package folder. Throws LB_BAD_PLUGIN. */
export function enginesIn(folder: string): InstalledEngine[] {
  const manifest = manifestIn(folder)
  const packageName = manifest.name ?? folder
  return Object.entries(declaredModules(manifest, folder, 'engines')).map(([engine, path]) => {
    const modulePath = moduleOf(folder, path, { packageName, what: `engine \`${engine}\`` })
    return { engine, packageName, packageVersion: manifest.version ?? '', modulePath }
  })
}

/** The package.json of a folder. Throws LB_BAD_PLUGIN. */
export function manifestIn(folder: string): PluginManifest {
  const path = join(folder, 'package.json')
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof manifest !== 'object' || manifest === null) throw new Error('it is no object')
    return manifest
  } catch (cause) {
    throw badPlugin(folder, `${path} cannot be read: ${messageOf(cause)}`)
  }
}

/** Looks where Node.js would, but for the folder itself: a package need not export its package.json. */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return candidate
    if (dirname(folder) === folder) return undefined
  }
}

function faultIn(folder: string, thrown: unknown): PluginFault {
  const error = isLbError(thrown) ? thrown : badPlugin(folder, messageOf(thrown))
  try {
    const manifest = manifestIn(folder)
    return { packageName: manifest.name ?? folder, engines: namedModules(manifest, 'engines'), error }
  } catch {
    return { packageName: folder, engines: [], error }
  }
}

function clash(one: InstalledEngine, other: InstalledEngine): PluginFault {
  const error = new LbError(`two plugins bring the engine \`${one.engine}\`: ${other.packageName} and ${one.packageName}`, {
    code: 'LB_ENGINE_DUPLICATE',
    source: 'operator',
    hint: `remove one: lb plugins uninstall ${one.packageName}`,
  })
  return { packageName: one.packageName, engines: [one.engine], error }
}
