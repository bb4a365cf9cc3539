import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { readGgufFile } from './gguf-file.js'
import { hubFolder } from './hub-cache.js'

/** A model file that lies where people and llama-server keep them. */
export interface FoundModel {
  /** Of the first part, where it is split. */
  readonly path: string
  /** The file's, without its ending and its number. */
  readonly name: string
  readonly changedAtMs: number
}

const DEEPEST = 5
const MOST_FOLDERS = 500
const MOST_LOOKED_INTO = 20

/** Where llama-server keeps what it fetches, now and before 2026, and where people and LM Studio do. */
export function usualFolders(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const home = homedir()
  const cache = env['XDG_CACHE_HOME'] ?? join(home, '.cache')
  const lmStudio = [join(home, '.lmstudio', 'models'), join(cache, 'lm-studio', 'models')]
  return [...new Set([process.cwd(), join(home, 'models'), join(cache, 'llama.cpp'), hubFolder(env), ...lmStudio])]
}

/** The model files in these folders, newest first; what is no model (projectors, adapters, later parts, broken files) is left out. */
export async function modelsOnDisk(folders: readonly string[], signal: AbortSignal): Promise<readonly FoundModel[]> {
  const paths = await ggufFiles(folders, signal)
  const known = await Promise.all(paths.map(async (path) => ({ path, changedAtMs: await changedAtMs(path) })))
  const newest = known.toSorted((a, b) => b.changedAtMs - a.changedAtMs).slice(0, MOST_LOOKED_INTO)
  const judged = await Promise.all(newest.map(async (each) => ((await isModel(each.path, signal)) ? [each] : [])))
  return judged.flat().map(({ path, changedAtMs: atMs }) => ({ path, name: nameOf(path), changedAtMs: atMs }))
}

async function ggufFiles(folders: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const files: string[] = []
  let level = folders
  let looked = 0
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth += 1) {
    const below: string[] = []
    for (const folder of level) {
      if ((looked += 1) > MOST_FOLDERS || signal.aborted) return files
      for (const entry of await entriesOf(folder)) {
        const path = join(folder, entry.name)
        if (entry.isDirectory() && isWorthALook(entry.name)) below.push(path)
        else if (isFirstFile(entry.name)) files.push(path)
      }
    }
    level = below
  }
  return files
}

function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => [])
}

function isWorthALook(folder: string): boolean {
  return !folder.startsWith('.') && folder !== 'node_modules' && folder !== 'blobs'
}

function isFirstFile(name: string): boolean {
  return name.endsWith('.gguf') && !/mmproj|-(?!00001)\d{5}-of-\d{5}\.gguf$/i.test(name)
}

function changedAtMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}

async function isModel(path: string, signal: AbortSignal): Promise<boolean> {
  try {
    const { bytes, header } = await readGgufFile(path, signal)
    return bytes >= header.leastFileBytes && (header.kind ?? 'model') === 'model' && header.architecture !== undefined
  } catch {
    return false
  }
}

function nameOf(path: string): string {
  return basename(path, '.gguf').replace(/-00001-of-\d{5}$/, '')
}
