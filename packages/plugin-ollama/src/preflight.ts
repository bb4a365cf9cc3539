import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, type PluginHost, type PreflightFinding } from '@plimsoll/core/plugin'
import { modelsFolder } from './launch.js'
import { isPulled, partsOf } from './models-on-disk.js'
import { readJson } from './read-json.js'
import type { OllamaSettings } from './settings.js'

export interface PreflightQuestion {
  readonly settings: Pick<OllamaSettings, 'modelsDir' | 'pull'>
  readonly sources: readonly string[]
  readonly host: PluginHost
  /** Where models without a host come from; another one in tests. */
  readonly registry?: string
  /** Of the engine. */
  readonly env: Readonly<Record<string, string | undefined>>
}

const usualRegistry = 'https://registry.ollama.ai'
const patienceMs = 4_000

/** What would stop a start: no HOME, a model that is not there and cannot be fetched, a full disk. Asks the registry only for what is missing here. */
export async function preflight(question: PreflightQuestion, signal: AbortSignal): Promise<readonly PreflightFinding[]> {
  const { settings, sources, env } = question
  const folder = modelsFolder(settings, env)
  const findings: PreflightFinding[] = []
  if (settings.modelsDir === undefined && (env['OLLAMA_MODELS'] ?? '') === '' && (env['HOME'] ?? '') === '')
    findings.push(
      warning('bad-settings', 'HOME is not set: Ollama ends at once without it', 'set launch.args.modelsDir, or HOME in launch.env'),
    )
  for (const model of sources) {
    if (await isPulled(folder, model)) continue
    if (settings.pull === 'never') findings.push(neverPulled(model, folder))
    else findings.push(...(await fetchable(question, { model, folder }, AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]))))
  }
  return findings
}

async function fetchable(
  { host, registry = usualRegistry, env }: PreflightQuestion,
  { model, folder }: { model: string; folder: string },
  signal: AbortSignal,
): Promise<PreflightFinding[]> {
  // Only Ollama itself goes through the proxy: from here the registry would look unreachable.
  if (['HTTPS_PROXY', 'https_proxy'].some((name) => (env[name] ?? '') !== '')) return []
  const { host: wanted, path, tag } = partsOf(model)
  const base = wanted === 'registry.ollama.ai' ? registry : `https://${wanted}`
  const accept = 'application/vnd.docker.distribution.manifest.v2+json'
  try {
    const { status, text } = await host.get(`${base}/v2/${path}/manifests/${tag}`, { signal, headers: { accept } })
    if (status === 404)
      return [
        problem(
          'model-missing',
          `${model} is neither in ${folder} nor at ${wanted}`,
          'look for its exact name and tag at https://ollama.com/search',
        ),
      ]
    if (status === 401 || status === 403)
      return [
        warning(
          'model-gated',
          `${wanted} does not show ${model} to everybody (${status})`,
          'it works if your Ollama key may read it: ollama signin',
        ),
      ]
    return status === 200 ? await fits(sizeIn(text), { model, folder }) : []
  } catch (error) {
    // The network may come later: a server that runs goes on trying, one that was never started does not.
    const why = `${model} is not in ${folder}, and ${wanted} cannot be reached now: ${messageOf(error)}`
    return [warning('no-network', why, 'check the network; offline, bring the models folder from elsewhere')]
  }
}

function sizeIn(manifest: string): number {
  const { layers, config } = readJson(manifest) ?? {}
  const parts = [...(Array.isArray(layers) ? (layers as unknown[]) : []), config]
  return parts.reduce<number>((sum, part) => sum + sizeOf(part), 0)
}

function sizeOf(part: unknown): number {
  const size = typeof part === 'object' && part !== null ? (part as { size?: unknown }).size : undefined
  return typeof size === 'number' && size > 0 ? size : 0
}

async function fits(bytes: number, { model, folder }: { model: string; folder: string }): Promise<PreflightFinding[]> {
  const free = await freeBytes(folder)
  if (free === undefined || bytes <= free) return []
  const hint = 'free some space, or point launch.args.modelsDir at a larger disk'
  return [problem('no-space', `${model} needs ${gigabytes(bytes)}, and ${folder} has room for ${gigabytes(free)}`, hint)]
}

/** Of the folder, or of the nearest one above it that exists already. */
async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    return dirname(folder) === folder ? undefined : freeBytes(dirname(folder))
  }
}

function neverPulled(model: string, folder: string): PreflightFinding {
  return problem(
    'model-missing',
    `${model} is not in ${folder}, and launch.args.pull is never`,
    `pull it once: ollama pull ${model}, or pull: missing`,
  )
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}

function problem(kind: PreflightFinding['kind'], message: string, hint: string): PreflightFinding {
  return { severity: 'error', kind, message, hint }
}

function warning(kind: PreflightFinding['kind'], message: string, hint: string): PreflightFinding {
  return { severity: 'warning', kind, message, hint }
}
