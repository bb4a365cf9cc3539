import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { HubSettings } from './hub-settings.js'

/** Where the weights come from: a folder of this machine, the hub by way of its cache, or something that only vLLM can reach. */
export type ModelSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'hub'; readonly id: string; readonly revision: string; readonly repoDir: string }
  | { readonly kind: 'other' }

/** `org/name`, or the name of one that has no organisation. */
export function isHubName(name: string): boolean {
  return /^[\w][\w.-]*(\/[\w][\w.-]*)?$/.test(name)
}

/** vLLM takes a path that exists for a folder and all else for a name at the hub. */
export function modelSource(weights: string, revision: string | undefined, { cacheDir }: HubSettings): ModelSource {
  if (/^[a-z][a-z0-9+]*:\/\//i.test(weights)) return { kind: 'other' }
  const looksLikePath = isAbsolute(weights) || /^\.{1,2}(\/|$)/.test(weights) || weights.startsWith('~')
  if (looksLikePath || isThere(weights)) return { kind: 'folder', folder: resolve(weights) }
  if (!isHubName(weights)) return { kind: 'other' }
  return { kind: 'hub', id: weights, revision: revision ?? 'main', repoDir: join(cacheDir, `models--${weights.replaceAll('/', '--')}`) }
}

/** The folder that holds a model's files now; undefined where the cache has none. */
export function folderOf(source: ModelSource): string | undefined {
  if (source.kind === 'folder') return source.folder
  if (source.kind === 'other') return undefined
  const commit = readText(join(source.repoDir, 'refs', source.revision))?.trim() ?? source.revision
  const folder = join(source.repoDir, 'snapshots', commit)
  return isThere(join(folder, 'config.json')) ? folder : undefined
}

const MOST_BYTES = 64 * 1024 * 1024

/** A JSON object of a model's folder; undefined where it is not there, too long or broken. */
export function readJsonFile(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readText(path) ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

export function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function readText(path: string): string | undefined {
  try {
    return statSync(path).size > MOST_BYTES ? undefined : readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
