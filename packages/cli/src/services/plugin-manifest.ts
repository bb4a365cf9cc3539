import { existsSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
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

/** What a package may bring: each kind is an object of names and paths under `plimsoll`. */
export type BroughtKind = 'engines' | 'strategies' | 'metrics'

/** One of a kind, in words. */
export const oneOf = { engines: 'engine', strategies: 'strategy', metrics: 'metric' } as const

/** One of these of a manifest: name to path, checked by hand, which costs less than loading a schema library. Throws LB_BAD_PLUGIN. */
export function declaredModules({ name, plimsoll }: PluginManifest, folder: string, kind: BroughtKind): Readonly<Record<string, string>> {
  const packageName = typeof name === 'string' && name !== '' ? name : folder
  if (plimsoll === undefined) return {}
  const { apiVersion, [kind]: modules } = (typeof plimsoll === 'object' && plimsoll !== null ? plimsoll : {}) as Record<string, unknown>
  if (apiVersion !== 1) throw badPlugin(packageName, `its plimsoll.apiVersion is ${String(apiVersion)}, this lb speaks 1`)
  if (modules === undefined) return {}
  if (typeof modules !== 'object' || modules === null || Array.isArray(modules))
    throw badPlugin(packageName, `its plimsoll.${kind} is no object`)
  for (const [brought, path] of Object.entries(modules)) checkEntry(packageName, `${oneOf[kind]} \`${brought}\``, brought, path)
  return modules as Record<string, string>
}

function checkEntry(packageName: string, what: string, brought: string, path: unknown): void {
  if (!/^[a-z][a-z0-9-]*$/.test(brought))
    throw badPlugin(packageName, `\`${brought}\` is no ${what.split(' ')[0] ?? ''} name (lower case, digits, dashes)`)
  if (typeof path !== 'string' || !path.startsWith('./') || path.split(/[\\/]/).includes('..'))
    throw badPlugin(packageName, `the path of ${what} must start with ./ and stay in the package, not ${JSON.stringify(path)}`)
}

/** Names of a kind that a manifest means to bring, however broken it is otherwise. */
export function namedModules({ plimsoll }: PluginManifest, kind: BroughtKind): readonly string[] {
  const modules = (plimsoll as Partial<Record<BroughtKind, unknown>> | null | undefined)?.[kind]
  return typeof modules === 'object' && modules !== null ? Object.keys(modules) : []
}

/** Absolute path of a module that a package in `folder` says it brings. Throws LB_BAD_PLUGIN. */
export function moduleOf(
  folder: string,
  path: string,
  { packageName, what }: { readonly packageName: string; readonly what: string },
): string {
  const modulePath = join(folder, path)
  if (!existsSync(modulePath)) throw badPlugin(packageName, `its file ${path} for ${what} does not exist`)
  if (!isBelow(modulePath, folder)) throw badPlugin(packageName, `its file ${path} for ${what} is a link out of the package`)
  return modulePath
}

function isBelow(path: string, folder: string): boolean {
  return realpathSync(path).startsWith(realpathSync(folder) + sep)
}

export function badPlugin(
  packageName: string,
  why: string,
  hint = `ask its author, or remove it: lb plugins uninstall ${packageName}`,
): LbError {
  return new LbError(`the plugin ${packageName} is broken: ${why}`, { code: 'LB_BAD_PLUGIN', source: 'operator', hint })
}
