import { readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where llama-server keeps what it fetches, in its own order. */
export function hubFolder(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['LLAMA_CACHE'] ?? env['HF_HUB_CACHE'] ?? env['HUGGINGFACE_HUB_CACHE']
  if (named !== undefined) return named
  const cache = env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache')
  return join(env['HF_HOME'] ?? join(cache, 'huggingface'), 'hub')
}

export interface RepositoryName {
  readonly repo: string
  readonly quant?: string
}

/** The file of a repository that was fetched before and would be loaded; undefined where there is none. */
export function cachedFile({ repo, quant }: RepositoryName, env: Readonly<Record<string, string>>): string | undefined {
  const folder = join(hubFolder(env), `models--${repo.replaceAll('/', '--')}`)
  const snapshots = join(folder, 'snapshots')
  const main = textOf(join(folder, 'refs', 'main'))
  for (const revision of namesIn(snapshots).toSorted((a, b) => Number(b === main) - Number(a === main))) {
    const [first] = chosenFiles(namesIn(join(snapshots, revision), true), quant)
    if (first !== undefined) return join(snapshots, revision, first)
  }
  return undefined
}

/** Which of a repository's files llama-server takes: those of the quantisation; without one Q4_K_M, Q8_0, or the first. All parts of a split model, in order. */
export function chosenFiles(names: readonly string[], quant: string | undefined): readonly string[] {
  const models = names.filter((name) => name.endsWith('.gguf') && !/mmproj|imatrix|(?:^|\/)(?:mtp|eagle3|dflash)-/i.test(name)).toSorted()
  for (const tag of quant === undefined ? ['Q4_K_M', 'Q8_0'] : [quant]) {
    const first = models.find((name) => isOf(name, tag))
    if (first !== undefined) return partsOf(first, models)
  }
  const [first] = models
  return quant === undefined && first !== undefined ? partsOf(first, models) : []
}

function isOf(name: string, tag: string): boolean {
  const at = name.toLowerCase().indexOf(tag.toLowerCase())
  return at >= 0 && /^[.-]/.test(name.slice(at + tag.length))
}

function partsOf(first: string, models: readonly string[]): readonly string[] {
  const stem = /^(.*)-\d{5}(-of-\d{5}\.gguf)$/.exec(first)
  return stem === null ? [first] : models.filter((name) => name.startsWith(`${stem[1] ?? ''}-`) && name.endsWith(stem[2] ?? ''))
}

/** What the branch means, as of the last fetch. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

function namesIn(folder: string, recursive = false): readonly string[] {
  try {
    return readdirSync(folder, { recursive, encoding: 'utf8' })
  } catch {
    return []
  }
}
