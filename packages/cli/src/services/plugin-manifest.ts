import { LbError } from '@plimsoll/core'

/** What Plimsoll reads in a package.json. */
export interface PluginManifest {
  readonly name?: string
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  /** Packages with commands of their own bring this instead of, or beside, `plimsoll`. */
  readonly oclif?: unknown
  readonly plimsoll?: unknown
}

/** `plimsoll.engines` of a manifest: engine name to path, checked by hand, which costs less than loading a schema library. Throws LB_BAD_PLUGIN. */
export function declaredEngines({ name, plimsoll }: PluginManifest, folder: string): Readonly<Record<string, string>> {
  const packageName = typeof name === 'string' && name !== '' ? name : folder
  if (plimsoll === undefined) return {}
  const { apiVersion, engines } = (typeof plimsoll === 'object' && plimsoll !== null ? plimsoll : {}) as Record<string, unknown>
  if (apiVersion !== 1) throw badPlugin(packageName, `its plimsoll.apiVersion is ${String(apiVersion)}, this lb speaks 1`)
  if (engines === undefined) return {}
  if (typeof engines !== 'object' || engines === null || Array.isArray(engines))
    throw badPlugin(packageName, 'its plimsoll.engines is no object')
  for (const [engine, path] of Object.entries(engines)) checkEntry(packageName, engine, path)
  return engines as Record<string, string>
}

function checkEntry(packageName: string, engine: string, path: unknown): void {
  if (!/^[a-z][a-z0-9-]*$/.test(engine)) throw badPlugin(packageName, `\`${engine}\` is no engine name (lower case, digits, dashes)`)
  if (typeof path !== 'string' || !path.startsWith('./') || path.split(/[\\/]/).includes('..'))
    throw badPlugin(packageName, `the path of engine \`${engine}\` must start with ./ and stay in the package, not ${JSON.stringify(path)}`)
}

/** Engines that a manifest means to bring, however broken it is otherwise. */
export function namedEngines({ plimsoll }: PluginManifest): readonly string[] {
  const engines = (plimsoll as { engines?: unknown } | null | undefined)?.engines
  return typeof engines === 'object' && engines !== null ? Object.keys(engines) : []
}

export function badPlugin(
  packageName: string,
  why: string,
  hint = `ask its author, or remove it: lb plugins uninstall ${packageName}`,
): LbError {
  return new LbError(`the plugin ${packageName} is broken: ${why}`, { code: 'LB_BAD_PLUGIN', source: 'operator', hint })
}
