import type { PluginHost } from '@plimsoll/core/plugin'
import { readJson } from './read-json.js'

/** One Ollama server and how to ask it. */
export interface Server {
  /** Base URL without `/v1`. */
  readonly root: string
  readonly host: PluginHost
  /** For a proxy in front of it that wants a key; Ollama itself knows none. */
  readonly headers: Readonly<Record<string, string>>
}

/** One entry of `/api/tags`. */
export interface Tag {
  readonly name: string
  readonly sizeBytes?: number
  readonly contentHash?: string
  /** The most that the model was made for; told by newer servers. */
  readonly contextTokens?: number
  /** Runs on somebody else's machine. */
  readonly isCloud: boolean
}

/** One entry of `/api/ps`: a model in memory. One that is still loading is not listed. */
export interface Loaded {
  readonly name: string
  readonly memoryBytes?: number
  readonly acceleratorBytes?: number
  readonly contextTokens?: number
}

/** What `/api/version` says: a version, or why there is none. Throws when nothing answers. */
export async function versionAt({ root, host, headers }: Server, signal: AbortSignal): Promise<{ version: string } | { why: string }> {
  const { status, text } = await host.get(`${root}/api/version`, { signal, headers })
  const version = status === 200 ? readJson(text)?.['version'] : undefined
  if (typeof version === 'string') return { version }
  if (status === 403 && text.trim() === '')
    return { why: `refuses the host name ${new URL(root).host} (403): a server on loopback takes loopback, private and .local names only` }
  if (status === 401 || status === 403) return { why: `/api/version answered ${status}: the key is missing or wrong` }
  return { why: '/api/version gave no version; is this an Ollama server?' }
}

/** Models that are pulled, and cloud entries; undefined when `/api/tags` gives no such list. */
export async function tagsAt({ root, host, headers }: Server, signal: AbortSignal): Promise<readonly Tag[] | undefined> {
  const entries = await listAt({ root, host, headers }, '/api/tags', signal)
  return entries?.map(({ name, entry }) => {
    const details = recordOf(entry['details'])
    return {
      name,
      isCloud: typeof entry['remote_host'] === 'string' && entry['remote_host'] !== '',
      ...some('sizeBytes', amount(entry['size'])),
      ...some('contentHash', hashOf(entry['digest'])),
      ...some('contextTokens', amount(details['context_length'])),
    }
  })
}

/** Models in memory; undefined when `/api/ps` gives no such list. */
export async function loadedAt(server: Server, signal: AbortSignal): Promise<readonly Loaded[] | undefined> {
  const entries = await listAt(server, '/api/ps', signal)
  return entries?.map(({ name, entry }) => ({
    name,
    ...some('memoryBytes', amount(entry['size'])),
    // Zero is told by leaving it out, and means that all of it is in main memory.
    ...(amount(entry['size']) === undefined ? {} : { acceleratorBytes: whole(entry['size_vram']) ?? 0 }),
    ...some('contextTokens', amount(entry['context_length'])),
  }))
}

type Entry = Readonly<Record<string, unknown>>

async function listAt({ root, host, headers }: Server, path: string, signal: AbortSignal) {
  const { status, text } = await host.get(`${root}${path}`, { signal, headers })
  const models: unknown = status === 200 ? readJson(text)?.['models'] : undefined
  if (!Array.isArray(models)) return undefined
  return models.map(recordOf).flatMap((entry): { name: string; entry: Entry }[] => {
    const name = entry['name'] ?? entry['model']
    return typeof name === 'string' && name !== '' ? [{ name, entry }] : []
  })
}

/** Ollama's digests are bare hex. */
function hashOf(digest: unknown): string | undefined {
  if (typeof digest !== 'string' || digest === '') return undefined
  return /^[0-9a-f]{64}$/.test(digest) ? `sha256:${digest}` : digest
}

function recordOf(value: unknown): Entry {
  return typeof value === 'object' && value !== null ? (value as Entry) : {}
}

function whole(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function amount(value: unknown): number | undefined {
  return whole(value) || undefined
}

function some<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>)
}
