import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { PluginHost, PreflightFinding } from '@plimsoll/core/plugin'
import { readJson } from './read-json.js'
import type { Weights } from './weights.js'

/** A repository, and the environment of the server that will fetch it: its cache, its token, its hub. */
type Repository = Extract<Weights, { kind: 'hugging-face' }> & { readonly env: Readonly<Record<string, string>> }

const patienceMs = 3000

/** Is the repository there and open, and can it be reached? What lies in the cache already needs neither. */
export async function checkRepository(
  { repo, quant, env }: Repository,
  host: PluginHost,
  signal: AbortSignal,
): Promise<readonly PreflightFinding[]> {
  if (!/^[\w][\w.-]*\/[\w][\w.-]*$/.test(repo))
    return [finding('bad-settings', 'error', `hf:${repo} names no repository`, 'hf:org/repo or hf:org/repo:Q4_K_M')]
  if (isCached(repo, env)) return []
  const base = (env['HF_ENDPOINT'] ?? 'https://huggingface.co').replace(/\/+$/, '')
  const token = env['HF_TOKEN'] ?? ''
  const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` }
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
    const answer = await host.get(`${base}/api/models/${repo}`, { signal: patience, headers })
    return judge(answer.status, answer.text, { repo, quant, hasToken: token !== '' })
  } catch {
    return [
      finding(
        'no-network',
        'error',
        `${repo} is not in the cache, and ${new URL(base).host} does not answer`,
        'a proxy goes into HTTPS_PROXY; or fetch the file elsewhere and name its path',
      ),
    ]
  }
}

interface Wanted {
  readonly repo: string
  readonly quant: string | undefined
  readonly hasToken: boolean
}

function judge(status: number, text: string, { repo, quant, hasToken }: Wanted): readonly PreflightFinding[] {
  const terms = 'accept its terms on its page'
  const hint = hasToken ? `${terms} with the account of HF_TOKEN` : `${terms}, then launch.env: { HF_TOKEN: { env: HF_TOKEN } }`
  // Hugging Face answers the same for a private repository and for one that is not there.
  if (status === 401 || status === 403) return [finding('model-gated', 'error', `${repo} is private, gated or not there`, hint)]
  if (status === 404)
    return [finding('model-missing', 'error', `there is no repository ${repo}`, 'look at its page: https://huggingface.co')]
  if (status !== 200) return [finding('no-network', 'warning', `Hugging Face answered ${status} for ${repo}`, 'try again later')]
  const model = readJson(text)
  const files = ggufFiles(model?.['siblings'])
  if (files !== undefined && files.length === 0)
    return [finding('model-missing', 'error', `${repo} holds no GGUF file`, 'take a repository whose name ends in GGUF')]
  if (quant !== undefined && files !== undefined && !files.some((name) => name.toLowerCase().includes(quant.toLowerCase())))
    return [finding('model-missing', 'error', `${repo} has no ${quant}`, `it has ${files.slice(0, 6).join(', ')}`)]
  if (typeof model?.['gated'] !== 'string') return []
  // What is listed may still be closed: whether its terms were accepted shows only when a file is fetched.
  return [finding('model-gated', hasToken ? 'warning' : 'error', `${repo} is gated`, hint)]
}

function ggufFiles(siblings: unknown): readonly string[] | undefined {
  if (!Array.isArray(siblings)) return undefined
  return siblings.flatMap((file: unknown) => {
    const name = typeof file === 'object' && file !== null ? (file as { rfilename?: unknown }).rfilename : undefined
    return typeof name === 'string' && name.endsWith('.gguf') ? [name] : []
  })
}

/** Where llama-server keeps what it has fetched. */
function isCached(repo: string, env: Readonly<Record<string, string>>): boolean {
  const hub =
    env['LLAMA_CACHE'] ??
    env['HF_HUB_CACHE'] ??
    join(env['HF_HOME'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'huggingface'), 'hub')
  return existsSync(join(hub, `models--${repo.replace('/', '--')}`, 'snapshots'))
}

function finding(kind: PreflightFinding['kind'], severity: PreflightFinding['severity'], message: string, hint: string): PreflightFinding {
  return { kind, severity, message, hint }
}
