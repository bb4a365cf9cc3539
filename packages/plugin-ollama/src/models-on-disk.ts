import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { access, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readJson } from './read-json.js'

/** `registry/namespace/model:tag` with everything that may be left out filled in. */
export function partsOf(name: string): { host: string; path: string; tag: string } {
  const plain = name.replace(/^https?:\/\//, '')
  const colon = plain.lastIndexOf(':')
  const hasTag = colon > plain.lastIndexOf('/')
  const tag = hasTag ? plain.slice(colon + 1) : 'latest'
  const parts = (hasTag ? plain.slice(0, colon) : plain).split('/')
  const [model = '', namespace = 'library', host = 'registry.ollama.ai'] = [...parts].reverse()
  return { host, path: `${namespace}/${model}`, tag }
}

/** Whether a models folder has the manifest of a model, which is written last. */
export async function isPulled(folder: string, model: string): Promise<boolean> {
  return access(manifestPath(folder, model)).then(
    () => true,
    () => false,
  )
}

/** Tags in a models folder, for when no server runs that could be asked. */
export async function tagsOnDisk(folder: string): Promise<readonly string[]> {
  const root = join(folder, 'manifests')
  // Nothing there, or not ours to read.
  const paths = await readdir(root, { recursive: true }).catch(() => [])
  const found = await Promise.all(paths.map(async (path) => ((await hasLayers(join(root, path))) ? tagOf(path) : [])))
  return found.flat().sort()
}

/** Of `registry/namespace/model/tag`. */
function tagOf(path: string): string[] {
  const [host, namespace, model, tag, ...more] = path.split(/[/\\]/)
  if (tag === undefined || more.length > 0) return []
  return [`${host === 'registry.ollama.ai' ? '' : `${host}/`}${namespace === 'library' ? '' : `${namespace}/`}${model}:${tag}`]
}

/** Bytes of a pulled model's weights, by its manifest; undefined where it is not there. */
export function weightBytes(folder: string, model: string): number | undefined {
  try {
    const weights = weightLayers(readFileSync(manifestPath(folder, model), 'utf8'))
    return weights.length === 0 ? undefined : weights.reduce((sum, { size }) => sum + (typeof size === 'number' ? size : 0), 0)
  } catch {
    return undefined
  }
}

/** What the server would tell as its digest: over the manifest, which names all parts by theirs. Undefined where it is not there. */
export function digestOnDisk(folder: string, model: string): string | undefined {
  try {
    return `sha256:${createHash('sha256')
      .update(readFileSync(manifestPath(folder, model)))
      .digest('hex')}`
  } catch {
    return undefined
  }
}

/** A cloud model's manifest names no weights. */
async function hasLayers(path: string): Promise<boolean> {
  return weightLayers(await readFile(path, 'utf8').catch(() => '')).length > 0
}

interface Layer {
  readonly mediaType?: unknown
  readonly size?: unknown
}

function weightLayers(manifest: string): readonly Layer[] {
  const layers = readJson(manifest)?.['layers']
  return Array.isArray(layers)
    ? layers.filter((layer: Layer | null): layer is Layer => /image\.(model|projector)/.test(String(layer?.mediaType)))
    : []
}

function manifestPath(folder: string, model: string): string {
  const { host, path, tag } = partsOf(model)
  return join(folder, 'manifests', host, path, tag)
}
