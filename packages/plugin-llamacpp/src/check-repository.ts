import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { HostResponse, PluginHost, PreflightFinding } from '@plimsoll/core/plugin'
import { cachedFile, chosenFiles, hubFolder, type RepositoryName } from './hub-cache.js'
import { readJson } from './read-json.js'

/** A repository, and the environment of the server that will fetch it: its cache, its token, its hub. */
export interface Repository extends RepositoryName {
  readonly env: Readonly<Record<string, string>>
  /** It may not fetch anything. */
  readonly offline: boolean
}

const patienceMs = 3000

/** Is the repository there and open, can it be reached, is there room for it? What lies in the cache already needs none of that. */
export async function checkRepository(repository: Repository, host: PluginHost, signal: AbortSignal): Promise<readonly PreflightFinding[]> {
  const { repo, env, offline } = repository
  if (!/^\w[\w.-]*\/\w[\w.-]*$/.test(repo))
    return [finding('bad-settings', 'error', `hf:${repo} names no repository`, 'hf:org/repo or hf:org/repo:Q4_K_M')]
  if (cachedFile(repository, env) !== undefined) return []
  if (offline)
    return [
      finding(
        'model-missing',
        'error',
        `${repo} is not in the cache at ${hubFolder(env)}, and offline is set`,
        'fetch it once without offline',
      ),
    ]
  const base = (env['HF_ENDPOINT'] ?? 'https://huggingface.co').replace(/\/+$/, '')
  try {
    return await judge(await ask(repository, { base, host, signal }), repository)
  } catch {
    return [unreachable(repository, base)]
  }
}

interface Hub {
  readonly base: string
  readonly host: PluginHost
  readonly signal: AbortSignal
}

function ask({ repo, env }: Repository, { base, host, signal }: Hub): Promise<HostResponse> {
  const token = env['HF_TOKEN'] ?? ''
  const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` }
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  return host.get(`${base}/api/models/${repo}?blobs=true`, { signal: patience, headers })
}

async function judge({ status, text }: HostResponse, { repo, quant, env }: Repository): Promise<readonly PreflightFinding[]> {
  const hasToken = (env['HF_TOKEN'] ?? '') !== ''
  const terms = 'accept its terms on its page'
  const hint = hasToken ? `${terms} with the account of HF_TOKEN` : `${terms}, then launch.env: { HF_TOKEN: { env: HF_TOKEN } }`
  // Hugging Face answers the same for a private repository and for one that is not there.
  if (status === 401 || status === 403) return [finding('model-gated', 'error', `${repo} is private, gated or not there`, hint)]
  if (status === 404)
    return [finding('model-missing', 'error', `there is no repository ${repo}`, 'look at its page: https://huggingface.co')]
  if (status !== 200) return [finding('no-network', 'warning', `Hugging Face answered ${status} for ${repo}`, 'try again later')]
  const model = readJson(text)
  const sizes = fileSizes(model?.['siblings'])
  const names = [...sizes.keys()].filter((name) => name.endsWith('.gguf'))
  const chosen = chosenFiles(names, quant)
  if (names.length === 0)
    return [finding('model-missing', 'error', `${repo} holds no GGUF file`, 'take a repository whose name ends in GGUF')]
  if (chosen.length === 0) return [finding('model-missing', 'error', `${repo} has no ${quant}`, `it has ${names.slice(0, 6).join(', ')}`)]
  const bytes = chosen.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0)
  // What is listed may still be closed: whether its terms were accepted shows only when a file is fetched.
  const gated =
    typeof model?.['gated'] === 'string' ? [finding('model-gated', hasToken ? 'warning' : 'error', `${repo} is gated`, hint)] : []
  return [...gated, ...(await roomFor(bytes, hubFolder(env)))]
}

async function roomFor(bytes: number, folder: string): Promise<readonly PreflightFinding[]> {
  const free = await freeBytes(folder)
  if (free === undefined || free >= bytes) return []
  const gib = (count: number) => `${(count / 1024 ** 3).toFixed(1)} GiB`
  return [
    finding(
      'no-space',
      'error',
      `the model takes ${gib(bytes)}, and ${folder} has ${gib(free)} left`,
      'make room, or name another folder: launch.env HF_HOME',
    ),
  ]
}

/** Of the disk that a folder will lie on, which need not be there yet. */
async function freeBytes(folder: string): Promise<number | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const disk = await statfs(at).catch(() => undefined)
    if (disk !== undefined) return disk.bavail * disk.bsize
    if (at === dirname(at)) return undefined
  }
}

/** By name, in bytes; 0 where the hub does not say. */
function fileSizes(siblings: unknown): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const file of Array.isArray(siblings) ? siblings : []) {
    const { rfilename: name, size } = (typeof file === 'object' && file !== null ? file : {}) as { rfilename?: unknown; size?: unknown }
    if (typeof name === 'string') sizes.set(name, typeof size === 'number' && size > 0 ? size : 0)
  }
  return sizes
}

/** llama-server may reach through a proxy what was asked for directly here. */
function unreachable({ repo, env }: Repository, base: string): PreflightFinding {
  const isProxied = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) => (env[name] ?? '') !== '')
  const where = URL.canParse(base) ? new URL(base).host : base
  return finding(
    'no-network',
    isProxied ? 'warning' : 'error',
    `${repo} is not in the cache, and ${where} does not answer`,
    'a proxy goes into HTTPS_PROXY; or fetch the file elsewhere and name its path',
  )
}

function finding(kind: PreflightFinding['kind'], severity: PreflightFinding['severity'], message: string, hint: string): PreflightFinding {
  return { kind, severity, message, hint }
}
