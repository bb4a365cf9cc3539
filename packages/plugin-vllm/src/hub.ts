import type { HostResponse, PluginHost } from '@plimsoll/core/plugin'
import type { HubSettings } from './hub-settings.js'
import { readJson } from './read-json.js'

/** What the hub says about one model. */
export type HubAnswer =
  /** `bytes`: of the files that vLLM would fetch, where the hub tells sizes. */
  | { readonly kind: 'there'; readonly bytes: number | undefined }
  | { readonly kind: 'gated'; readonly why: 'no-token' | 'no-access' }
  | { readonly kind: 'bad-token' }
  /** Not there, or private: without a right to it the hub does not tell them apart. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** It answers, but not with sense: too many requests, a fault of its own. */
  | { readonly kind: 'odd'; readonly status: number }

export interface HubQuestion {
  readonly id: string
  readonly revision: string
}

/** Asks the hub whether this token may have this model. Never throws. */
export async function askHub(host: PluginHost, { id, revision }: HubQuestion, hub: HubSettings, signal: AbortSignal): Promise<HubAnswer> {
  const headers = hub.token === undefined ? {} : { authorization: `Bearer ${hub.token}` }
  const get = (path: string) => host.get(`${hub.endpoint}${path}`, { signal, headers })
  try {
    const info = await get(`/api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`)
    const refused = refusal(info, hub.token !== undefined)
    if (refused !== undefined) return refused
    // Anybody may read what a gated model is; its files are another matter.
    const file = await get(`/${id}/resolve/${encodeURIComponent(revision)}/config.json`)
    const refusedFile = file.status === 404 ? undefined : refusal(file, hub.token !== undefined)
    return refusedFile ?? { kind: 'there', bytes: bytesOf(info.text) }
  } catch (error) {
    return { kind: 'unreachable', reason: reasonOf(error) }
  }
}

function refusal({ status, text }: HostResponse, hasToken: boolean): HubAnswer | undefined {
  // A redirect leads to the file, or to a model's new name.
  if (status < 400) return undefined
  const gated = /gated|is restricted|authorized list|ask for access/i.test(text)
  if (gated && (status === 401 || status === 403)) return { kind: 'gated', why: hasToken && status === 403 ? 'no-access' : 'no-token' }
  if (status === 403) return { kind: 'gated', why: hasToken ? 'no-access' : 'no-token' }
  if (status === 401) return hasToken ? { kind: 'bad-token' } : { kind: 'unknown' }
  return status === 404 ? { kind: 'unknown' } : { kind: 'odd', status }
}

/** vLLM fetches safetensors, else `.bin`, and the small files. Repositories may hold the same weights in several forms. */
function bytesOf(text: string): number | undefined {
  const siblings = readJson(text)?.['siblings']
  if (!Array.isArray(siblings)) return undefined
  const files = siblings.flatMap((entry: unknown) => {
    const { rfilename: name, size } = (entry ?? {}) as Record<string, unknown>
    return typeof name === 'string' && typeof size === 'number' ? [{ name, size }] : []
  })
  if (files.length === 0) return undefined
  const suffix = ['.safetensors', '.bin', '.pt'].find((each) => files.some(({ name }) => name.endsWith(each)))
  const isWanted = (name: string) =>
    (suffix !== undefined && name.endsWith(suffix) && !name.includes('/')) || /\.(json|txt|model|jinja)$/.test(name)
  return files.filter(({ name }) => isWanted(name)).reduce((total, { size }) => total + size, 0)
}

function reasonOf(error: unknown): string {
  const { code, name, message } = (error ?? {}) as { code?: unknown; name?: unknown; message?: unknown }
  if (name === 'TimeoutError' || name === 'AbortError') return 'no answer in time'
  return typeof code === 'string' ? code : String(message)
}
