import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hubSettings } from './hub-settings.js'
import { folderOf, modelSource, readJsonFile } from './model-source.js'
import { weightFiles } from './weight-files.js'

/** Models that write text: embedding models and the like have other architectures. */
const generates = /(ForCausalLM|ForConditionalGeneration)$/
const MOST_LOOKED_INTO = 200

/** Names of the models in the cache of the Hugging Face client that vLLM could serve without fetching anything, newest first. */
export function cachedModels(env: Readonly<Record<string, string | undefined>> = process.env): readonly string[] {
  const hub = hubSettings(env)
  return repositoriesIn(hub.cacheDir)
    .flatMap((entry) => {
      const id = entry.slice('models--'.length).replaceAll('--', '/')
      const folder = folderOf(modelSource(id, undefined, hub))
      return folder !== undefined && isServable(folder) ? [{ id, changedAtMs: changedAtMs(join(hub.cacheDir, entry, 'refs', 'main')) }] : []
    })
    .sort((a, b) => b.changedAtMs - a.changedAtMs)
    .map(({ id }) => id)
}

function repositoriesIn(cacheDir: string): readonly string[] {
  try {
    return readdirSync(cacheDir)
      .filter((entry) => /^models--[^-].*$/.test(entry))
      .slice(0, MOST_LOOKED_INTO)
  } catch {
    return []
  }
}

/** The architecture is one that generates, and no file of the weights is missing: a download may have broken off. GGUF files are llama.cpp's. */
function isServable(folder: string): boolean {
  const architectures = readJsonFile(join(folder, 'config.json'))?.['architectures']
  if (!Array.isArray(architectures) || !architectures.some((name) => typeof name === 'string' && generates.test(name))) return false
  return weightFiles(folder)?.missing.length === 0
}

function changedAtMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
