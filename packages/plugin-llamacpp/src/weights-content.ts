import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sampleOfFiles, sha256OfFiles, type NodeSpec, type WeightsPin, type WeightsPlace } from '@plimsoll/core/plugin'
import { cachedFile, hubFolder } from './hub-cache.js'
import type { LlamacppSettings } from './settings.js'
import { splitFiles } from './split-files.js'
import { parseWeights } from './weights.js'

type Spec = NodeSpec<LlamacppSettings>

/** `sha256:<hex>` where the hub's cache tells it, else what the files are like: sizes, headers, samples. */
export async function weightsContent(spec: Spec): Promise<string | undefined> {
  const files = filesOf(spec)
  if (files === undefined) return undefined
  return hubHash(files) ?? sampleOfFiles(files)
}

/** Over all bytes. A file of the hub's cache is named after its own. */
export async function weightsHash(spec: Spec, signal: AbortSignal): Promise<string | undefined> {
  const files = filesOf(spec)
  return files === undefined ? undefined : (hubHash(files) ?? sha256OfFiles(files, { signal }))
}

/** What a repository once brought may lie in the cache still, though another file is newer. Parts of a split model have no names there that llama-server would know. */
export function weightsPin({ weights: text, environment }: Spec, content: string): WeightsPin | undefined {
  const weights = parseWeights(text)
  const hex = /^sha256:([0-9a-f]{64})$/.exec(content)?.[1]
  if (weights.kind !== 'hugging-face' || hex === undefined) return undefined
  const blob = join(hubFolder(variablesOf(environment)), `models--${weights.repo.replaceAll('/', '--')}`, 'blobs', hex)
  return existsSync(blob) ? { weights: blob } : undefined
}

/** What `content` looks at, as another machine has it. */
export function weightsThere({ weights: text, settings }: Spec): WeightsPlace | undefined {
  const weights = parseWeights(text)
  if (weights.kind === 'none') return undefined
  if (weights.kind === 'hugging-face') return { kind: 'hub', repo: weights.repo, revision: 'main', cacheVariable: 'LLAMA_CACHE' }
  return { kind: 'files', paths: [...splitFiles(weights.path), ...(settings.mmproj === undefined ? [] : [settings.mmproj])] }
}

/** A repository of which nothing that would be loaded lies in the cache. */
export async function weightsToFetch({ weights: text, environment }: Spec): Promise<string | undefined> {
  const weights = parseWeights(text)
  return weights.kind === 'hugging-face' && cachedFile(weights, variablesOf(environment)) === undefined ? text : undefined
}

/** All files of the model, with the projector of one that has eyes. */
function filesOf({ weights: text, settings, environment }: Spec): readonly string[] | undefined {
  const weights = parseWeights(text)
  if (weights.kind === 'none') return undefined
  const first = weights.kind === 'file' ? weights.path : cachedFile(weights, variablesOf(environment))
  if (first === undefined) return undefined
  return [...splitFiles(first), ...(settings.mmproj === undefined ? [] : [settings.mmproj])]
}

/** The hub's client keeps files under their hash, and links to them. */
function hubHash(files: readonly string[]): string | undefined {
  const [file, ...more] = files
  if (file === undefined || more.length > 0) return undefined
  try {
    const real = realpathSync(file)
    const hex = basename(real)
    return basename(dirname(real)) === 'blobs' && /^[0-9a-f]{64}$/.test(hex) ? `sha256:${hex}` : undefined
  } catch {
    return undefined
  }
}

/** A secret that is missing is told by the launch itself. */
function variablesOf(environment: Spec['environment']): Readonly<Record<string, string>> {
  try {
    return environment?.() ?? {}
  } catch {
    return {}
  }
}
