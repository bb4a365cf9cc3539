import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonFile } from './model-source.js'

/** The files with weights in a model's folder. */
export interface WeightFiles {
  /** Of those that are there. */
  readonly bytes: number
  /** Files that the index names and that are not there: a download that broke off. */
  readonly missing: readonly string[]
}

/** Weights are safetensors wherever a model has them; older ones are `.bin`. Links of the cache are followed. Undefined: no weights at all. */
export function weightFiles(folder: string): WeightFiles | undefined {
  const names = entriesOf(folder)
  const suffix = ['.safetensors', '.bin', '.pt', '.gguf'].find((each) => names.some((name) => name.endsWith(each)))
  const indexed = indexedFiles(folder)
  const wanted = indexed.length > 0 ? indexed : names.filter((name) => suffix !== undefined && name.endsWith(suffix))
  if (wanted.length === 0) return undefined
  const sizes = wanted.map((name) => ({ name, size: sizeOf(join(folder, name)) }))
  return {
    bytes: sizes.reduce((total, { size }) => total + (size ?? 0), 0),
    missing: sizes.filter(({ size }) => size === undefined).map(({ name }) => name),
  }
}

function indexedFiles(folder: string): readonly string[] {
  const map = readJsonFile(join(folder, 'model.safetensors.index.json'))?.['weight_map']
  if (typeof map !== 'object' || map === null) return []
  return [...new Set(Object.values(map).filter((name) => typeof name === 'string'))]
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size
  } catch {
    return undefined
  }
}
