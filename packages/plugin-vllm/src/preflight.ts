import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { LaunchSlot, NodeSpec, PluginHost, PreflightFinding } from '@plimsoll/core/plugin'
import { divideGpus } from './check-settings.js'
import { askHub, type HubAnswer } from './hub.js'
import { hubSettings, type HubSettings } from './hub-settings.js'
import { modelFigures } from './model-figures.js'
import { modelFit } from './model-fit.js'
import { folderOf, isThere, modelSource, type ModelSource, readJsonFile } from './model-source.js'
import type { VllmSettings } from './settings.js'
import { weightFiles } from './weight-files.js'

const PATIENCE_MS = 4_000
/** Of the disk, beside the model's files: locks, parts, the cache of compiled graphs. */
const SPARE_BYTES = 1024 ** 3

export interface PreflightContext {
  readonly host: PluginHost
  /** Those that the node was given; undefined while nobody chose. */
  readonly gpus: LaunchSlot['gpus']
  readonly signal: AbortSignal
}

/**
 * Looks for what would stop the launch: the folder, the cache, the hub, the disk. It looks at this machine. Gated and private models, a wrong token, no
 * network and an offline cache end in the same five-screen traceback; here they are told apart.
 */
export async function preflight(
  spec: NodeSpec<VllmSettings>,
  { host, gpus, signal }: PreflightContext,
): Promise<readonly PreflightFinding[]> {
  if (spec.weights === undefined) return []
  const hub = hubSettings(spec.environment?.() ?? process.env)
  const source = modelSource(spec.weights, spec.settings.revision, hub)
  const findings = await sourceFindings(spec, source, hub, { host, signal })
  return [...findings, ...fitFindings(spec, source, gpus)]
}

async function sourceFindings(
  { settings }: NodeSpec<VllmSettings>,
  source: ModelSource,
  hub: HubSettings,
  { host, signal }: Pick<PreflightContext, 'host' | 'signal'>,
): Promise<readonly PreflightFinding[]> {
  if (source.kind === 'folder') return folderFindings(source.folder)
  if (source.kind === 'other' || isWhole(source, settings)) return []
  if (hub.isOffline) return [offline(source, hub)]
  const answer = await askHub(host, source, hub, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]))
  const finding = hubFinding(source.id, answer, hub)
  if (finding !== undefined) return [finding]
  return answer.kind === 'there' && answer.bytes !== undefined ? spaceFindings(answer.bytes - bytesThere(source), hub) : []
}

/** Once the model's own figures are here. */
function fitFindings({ id, settings }: NodeSpec<VllmSettings>, source: ModelSource, gpus: LaunchSlot['gpus']): readonly PreflightFinding[] {
  const folder = folderOf(source)
  const config = folder === undefined ? undefined : readJsonFile(join(folder, 'config.json'))
  return config === undefined ? [] : modelFit(modelFigures(config), settings, divideGpus(id, settings, gpus))
}

function folderFindings(folder: string): readonly PreflightFinding[] {
  if (!isThere(folder))
    return [fault('model-missing', `there is no folder ${folder}`, 'launch.model: a folder with config.json, or a name at Hugging Face')]
  if (folder.endsWith('.gguf') || isThere(join(folder, 'config.json')) || isThere(join(folder, 'params.json'))) return []
  return [fault('model-missing', `${folder} holds no config.json`, 'launch.model: the folder of the model itself, not one above it')]
}

/** Nothing would be fetched. With `loadFormat: dummy` the weights never are. */
function isWhole(source: ModelSource, { loadFormat }: VllmSettings): boolean {
  const folder = folderOf(source)
  if (folder === undefined) return false
  return loadFormat === 'dummy' || weightFiles(folder)?.missing.length === 0
}

function bytesThere(source: ModelSource): number {
  const folder = folderOf(source)
  return folder === undefined ? 0 : (weightFiles(folder)?.bytes ?? 0)
}

function offline(source: ModelSource & { readonly kind: 'hub' }, { cacheDir }: HubSettings): PreflightFinding {
  const part = folderOf(source) === undefined ? 'not' : 'not wholly'
  return fault(
    'no-network',
    `${source.id} is ${part} in the cache ${cacheDir}, and HF_HUB_OFFLINE forbids to fetch it`,
    `fetch it once: hf download ${source.id}; or set HF_HUB_CACHE to the folder that has it`,
  )
}

function hubFinding(id: string, answer: HubAnswer, hub: HubSettings): PreflightFinding | undefined {
  if (answer.kind === 'there') return undefined
  if (answer.kind === 'gated') return gated(answer.why, `${hub.endpoint}/${id}`, id)
  if (answer.kind === 'unreachable') return unreachable(answer.reason, id, hub)
  if (answer.kind === 'odd')
    return {
      ...fault('other', `${hub.endpoint} answered ${answer.status}`, 'the engine may have more luck; a token raises the limits'),
      severity: 'warning',
    }
  if (answer.kind === 'bad-token')
    return fault(
      'model-gated',
      'the hub refuses the token',
      'make a new one at huggingface.co/settings/tokens; HF_TOKEN or the file of `hf auth login` holds the old one',
    )
  const seen = hub.token === undefined ? ', or it is private' : ' that this token may see'
  return fault('model-missing', `the hub knows no ${id}${seen}`, `check launch.model; a private one needs ${sendToken}`)
}

const sendToken = 'launch.env: { HF_TOKEN: { env: HF_TOKEN } }'

function gated(why: 'no-token' | 'no-access', page: string, id: string): PreflightFinding {
  return why === 'no-token'
    ? fault('model-gated', `${id} is gated, and no token is sent`, `accept its terms at ${page}, then ${sendToken}`)
    : fault(
        'model-gated',
        `${id} is gated, and this token has no access`,
        `ask for access at ${page}; a fine-grained token needs the right to gated models`,
      )
}

/** This check goes straight to the hub; an engine behind a proxy may well get there. */
function unreachable(reason: string, id: string, { endpoint, usesProxy }: HubSettings): PreflightFinding {
  if (usesProxy)
    return {
      ...fault(
        'no-network',
        `${endpoint} was not reached without the proxy (${reason})`,
        'the engine goes through the proxy and may succeed',
      ),
      severity: 'warning',
    }
  return fault(
    'no-network',
    `${id} is not in the cache, and ${endpoint} cannot be reached (${reason})`,
    'see the network and HTTPS_PROXY, or fetch it elsewhere and set HF_HUB_CACHE',
  )
}

async function spaceFindings(missingBytes: number, { cacheDir }: HubSettings): Promise<readonly PreflightFinding[]> {
  const freeBytes = await freeBytesAt(cacheDir)
  if (freeBytes === undefined || missingBytes <= 0 || freeBytes >= missingBytes + SPARE_BYTES) return []
  const message = `${gib(missingBytes)} GiB are to be fetched to ${cacheDir}, and ${gib(freeBytes)} GiB are free`
  return [fault('no-space', message, 'free space, or point HF_HOME to another disk under launch.env')]
}

/** The cache's folder need not be there yet: its disk is that of the nearest folder above. */
async function freeBytesAt(folder: string): Promise<number | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const stats = await statfs(at).catch(() => undefined)
    if (stats !== undefined) return stats.bavail * stats.bsize
    if (dirname(at) === at) return undefined
  }
}

function fault(kind: PreflightFinding['kind'], message: string, hint: string): PreflightFinding {
  return { severity: 'error', kind, message, hint }
}

function gib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1)
}
