import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { LbError } from '@plimsoll/core'
import { wrongInput } from '../wrong-input.js'
import { coreFolder } from './core-link.js'
import { enginesIn, installedEngines, manifestIn, type InstalledEngine } from './engine-catalogue.js'
import { installedMetrics, metricsIn } from './metric-catalogue.js'
import { installedStrategies, strategiesIn } from './strategy-catalogue.js'
import { badPlugin, declaredModules, oneOf, type PluginManifest } from './plugin-manifest.js'
import { PluginStore, type StoredPlugin } from './plugin-store.js'
import { readTarball } from './read-tarball.js'
import { npmFailure, runNpm } from './run-npm.js'

export interface PluginChange {
  readonly name: string
  readonly version: string
  /** Names of the engines that it brings. */
  readonly engines: readonly string[]
  /** Names of the strategies that it brings. */
  readonly strategies: readonly string[]
  /** Names of the metrics that it brings. */
  readonly metrics: readonly string[]
}

export interface PluginPlace {
  /** Where oclif keeps the user's plugins. */
  readonly dataDir: string
  readonly cwd: string
  /** Roots of the plugins that are there already. */
  readonly pluginRoots: readonly string[]
}

/** Installs a plugin from a package file (`file:x.tgz`, offline where all that it needs is here), a registry or a URL. Throws LB_BAD_PLUGIN, LB_PLUGIN_NOT_INSTALLED. */
export async function installPlugin(spec: string, place: PluginPlace): Promise<PluginChange> {
  // npm would take it for a flag of its own.
  if (spec.startsWith('-')) throw wrongInput(`\`${spec}\` is no plugin`, 'a package file (file:NAME.tgz), a package name or a URL')
  const file = packageFile(spec, place.cwd)
  if (file !== undefined) checkTarball(file)
  const store = new PluginStore(place.dataDir)
  store.prepare()
  const known = store.dependencies
  const wanted = file === undefined ? spec : `file:${file}`
  await npmInstall(store, wanted, file !== undefined)
  const name = file === undefined ? newName(spec, known, store.dependencies) : (readTarball(file).manifest.name ?? '')
  try {
    const change = checkInstalled(store.rootOf(name), place)
    store.add({ name, type: 'user', ...(file === undefined ? { tag: tagOf(spec) } : { url: wanted }) })
    return change
  } catch (error) {
    await runNpm(store.folder, ['uninstall', name])
    store.remove(name)
    throw error
  }
}

/** Uses a plugin from its own folder, for those who write one. Throws LB_BAD_PLUGIN. */
export function linkPlugin(path: string, place: PluginPlace): PluginChange {
  const root = resolve(place.cwd, path)
  const change = checkInstalled(root, place)
  const store = new PluginStore(place.dataDir)
  store.prepare()
  store.add({ name: change.name, type: 'link', root })
  return change
}

/** Removes an installed or linked plugin. Throws LB_PLUGIN_UNKNOWN. */
export async function uninstallPlugin(given: string, place: PluginPlace): Promise<StoredPlugin> {
  const store = new PluginStore(place.dataDir)
  const name = given.replace(/(?<=.)@[^/]*$/, '')
  const plugin = store.plugins.find((each) => each.name === name || (each.type === 'link' && each.root === resolve(place.cwd, given)))
  if (plugin === undefined) {
    const installed = store.plugins.map((each) => each.name).join(', ') || 'none'
    throw new LbError(`${given} is not installed`, {
      code: 'LB_PLUGIN_UNKNOWN',
      source: 'operator',
      hint: `installed by you: ${installed}`,
    })
  }
  if (plugin.type === 'user') {
    const result = await runNpm(store.folder, ['uninstall', plugin.name])
    if (result.code !== 0 && existsSync(store.rootOf(plugin.name))) throw npmFailure(`${plugin.name} is still there; its removal`, result)
  }
  store.remove(plugin.name)
  return plugin
}

/** The path of a package file, where the argument means one. */
function packageFile(spec: string, cwd: string): string | undefined {
  const isFile = spec.startsWith('file:') || /^(\.{1,2}|~)?\//.test(spec) || (/\.(tgz|tar\.gz)$/.test(spec) && !spec.includes('://'))
  if (!isFile) return undefined
  const written = spec.replace(/^file:(\/\/(?=\/))?/, '')
  const path = written.startsWith('~/') ? join(homedir(), written.slice(2)) : resolve(cwd, written)
  if (!existsSync(path)) throw wrongInput(`there is no file ${path}`, 'npm pack in the folder of the plugin makes one')
  if (statSync(path).isDirectory())
    throw wrongInput(`${path} is a folder`, `lb plugins link ${written} uses it where it is; npm pack makes a file of it`)
  return path
}

/** Before npm unpacks it: what is wrong is said by its name, and nothing was changed. */
function checkTarball(file: string): void {
  const { manifest, files } = readTarball(file)
  if (typeof manifest.name !== 'string' || !/^(@[\w.-]+\/)?[\w.-]+$/.test(manifest.name))
    throw badPlugin(file, 'its package.json says no name')
  needsPlimsoll(manifest, file)
  for (const kind of ['engines', 'strategies', 'metrics'] as const)
    for (const [name, path] of Object.entries(declaredModules(manifest, file, kind)))
      if (!files.has(path.slice(2)))
        throw badPlugin(
          manifest.name,
          `its file ${path} for ${oneOf[kind]} \`${name}\` is not in ${file}`,
          'was it built before it was packed? does `files` name it?',
        )
}

function needsPlimsoll({ name, plimsoll, oclif }: PluginManifest, place: string): void {
  if (plimsoll !== undefined || oclif !== undefined) return
  throw badPlugin(
    name ?? place,
    'it is no Plimsoll plugin: its package.json has no `plimsoll` field',
    'lb init plugin NAME shows how one looks',
  )
}

/** Tries without any network first: a package file that needs nothing more installs on a machine that has none. */
async function npmInstall(store: PluginStore, wanted: string, isFile: boolean): Promise<void> {
  // Plugins are given this lb's own core, unless they bring another.
  const args = ['install', '--omit=dev', '--save-exact', wanted, `@plimsoll/core@file:${coreFolder()}`]
  if (isFile) {
    const offline = await runNpm(store.folder, [...args, '--offline'])
    if (offline.code === 0) return
    if (!offline.errors.some((line) => line.includes('ENOTCACHED'))) throw npmFailure(wanted, offline)
  }
  const online = await runNpm(store.folder, [
    ...args,
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=2000',
    '--fetch-timeout=30000',
  ])
  if (online.code !== 0) throw npmFailure(wanted, online)
}

/** What stands in its place now: a plugin that Plimsoll can read and whose engines nobody else brings. */
function checkInstalled(root: string, place: PluginPlace): PluginChange {
  const manifest = manifestIn(root)
  needsPlimsoll(manifest, root)
  const engines = enginesIn(root)
  const others = place.pluginRoots.filter((other) => other !== root && manifestNameOf(other) !== manifest.name)
  const { faults } = installedEngines([...others, root])
  const clash = faults.find(({ error, packageName }) => error.code === 'LB_ENGINE_DUPLICATE' && packageName === manifest.name)
  if (clash !== undefined) throw clash.error
  return {
    name: manifest.name ?? root,
    version: manifest.version ?? '',
    engines: engines.map(({ engine }: InstalledEngine) => engine),
    strategies: checkedStrategies(root, others, manifest.name),
    metrics: checkedMetrics(root, others, manifest.name),
  }
}

/** Names of the strategies in `root`, none of which another plugin or lb itself brings. */
function checkedStrategies(root: string, others: readonly string[], packageName: string | undefined): readonly string[] {
  const names = strategiesIn(root).map(({ strategy }) => strategy)
  const clash = installedStrategies([...others, root]).faults.find((fault) => fault.packageName === packageName)
  if (clash !== undefined) throw clash.error
  return names
}

/** The same of metrics. */
function checkedMetrics(root: string, others: readonly string[], packageName: string | undefined): readonly string[] {
  const names = metricsIn(root).map(({ metric }) => metric)
  const clash = installedMetrics([...others, root]).faults.find((fault) => fault.packageName === packageName)
  if (clash !== undefined) throw clash.error
  return names
}

function manifestNameOf(root: string): string | undefined {
  try {
    return manifestIn(root).name
  } catch {
    return undefined
  }
}

/** A registry's packages are named in the argument; what a URL held is seen by what came. */
function newName(spec: string, before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string {
  const fresh = Object.keys(after).find((name) => name !== '@plimsoll/core' && before[name] !== after[name])
  return fresh ?? /^(@[^/]+\/)?[^/@]+/.exec(spec)?.[0] ?? spec
}

function tagOf(spec: string): string {
  return /.@([^/@]+)$/.exec(spec)?.[1] ?? 'latest'
}
