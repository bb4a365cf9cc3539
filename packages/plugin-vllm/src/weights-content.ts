import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { sampleOfFiles, sha256OfFiles, type NodeSpec, type WeightsPin, type WeightsPlace } from '@plimsoll/core/plugin'
import { hubSettings } from './hub-settings.js'
import { folderOf, isHubName, modelSource, type ModelSource } from './model-source.js'
import type { VllmSettings } from './settings.js'
import { weightFiles } from './weight-files.js'

type Spec = NodeSpec<VllmSettings>

/** `commit:<hash>` of a model of the hub, by the cache; of another folder what its files are like. */
export async function weightsContent(spec: Spec): Promise<string | undefined> {
  const source = sourceOf(spec)
  const folder = source === undefined ? undefined : folderOf(source)
  if (folder === undefined || !isWhole(folder, spec.settings)) return undefined
  return commitOf(folder) ?? sampleOfFiles(filesIn(folder))
}

/** Of a folder that no hub keeps: a commit says it all. */
export async function weightsHash(spec: Spec, signal: AbortSignal): Promise<string | undefined> {
  const source = sourceOf(spec)
  if (source?.kind !== 'folder' || commitOf(source.folder) !== undefined) return undefined
  const files = filesIn(source.folder)
  return files.length === 0 ? undefined : sha256OfFiles(files, { signal })
}

/** A commit can be asked for by its name. */
export function weightsPin(spec: Spec, content: string): WeightsPin | undefined {
  const commit = /^commit:([0-9a-f]{40})$/.exec(content)?.[1]
  return commit === undefined || sourceOf(spec)?.kind !== 'hub' ? undefined : { settings: { revision: commit } }
}

/** What `content` looks at, as another machine has it: nothing of this one says whether a name is a folder there. */
export function weightsThere({ weights, settings }: Spec): WeightsPlace | undefined {
  if (weights === undefined || /^[a-z][a-z0-9+]*:\/\//i.test(weights)) return undefined
  if (isAbsolute(weights)) return { kind: 'folder', folder: weights, endings: telling }
  return isHubName(weights) ? { kind: 'hub', repo: weights, revision: settings.revision ?? 'main' } : undefined
}

/** The hub's name of a model that is not wholly in the cache. */
export async function weightsToFetch(spec: Spec): Promise<string | undefined> {
  const source = sourceOf(spec)
  if (source?.kind !== 'hub') return undefined
  const folder = folderOf(source)
  if (folder !== undefined && isWhole(folder, spec.settings)) return undefined
  return source.revision === 'main' ? source.id : `${source.id}@${source.revision}`
}

function sourceOf({ weights, settings, environment }: Spec): ModelSource | undefined {
  return weights === undefined ? undefined : modelSource(weights, settings.revision, hubSettings(variablesOf(environment)))
}

/** A secret that is missing is told by the launch itself. */
function variablesOf(environment: Spec['environment']): Readonly<Record<string, string | undefined>> {
  try {
    return environment?.() ?? process.env
  } catch {
    return process.env
  }
}

/** With `loadFormat: dummy` the weights are never fetched. */
function isWhole(folder: string, { loadFormat }: VllmSettings): boolean {
  return loadFormat === 'dummy' || weightFiles(folder)?.missing.length === 0
}

/** Of a folder in the cache of the hub's client. */
function commitOf(folder: string): string | undefined {
  const name = basename(folder)
  return basename(dirname(folder)) === 'snapshots' && /^[0-9a-f]{40}$/.test(name) ? `commit:${name}` : undefined
}

const telling = ['safetensors', 'bin', 'pt', 'gguf', 'json', 'txt', 'model', 'jinja']
const isTelling = new RegExp(`\\.(${telling.join('|')})$`)

/** All that says what the model is: weights, figures, words, template. */
function filesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && isTelling.test(entry.name))
    .map(({ name }) => join(folder, name))
    .sort()
}
