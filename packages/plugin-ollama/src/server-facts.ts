import type { PluginHost } from '@plimsoll/core/plugin'
import { readJson } from './read-json.js'

/** The version that `/api/version` tells; undefined when something else answers there. Throws when nothing does. */
export async function versionAt(root: string, host: PluginHost, signal: AbortSignal): Promise<string | undefined> {
  const { status, text } = await host.get(`${root}/api/version`, { signal })
  const version = status === 200 ? readJson(text)?.['version'] : undefined
  return typeof version === 'string' ? version : undefined
}

/** Tags of the models that are pulled (or served from Ollama's cloud); undefined when `/api/tags` gives no such list. */
export async function tagsAt(root: string, host: PluginHost, signal: AbortSignal): Promise<string[] | undefined> {
  const { status, text } = await host.get(`${root}/api/tags`, { signal })
  const models: unknown = status === 200 ? readJson(text)?.['models'] : undefined
  if (!Array.isArray(models)) return undefined
  return models.map((entry: { name?: unknown } | null) => entry?.name).filter((name) => typeof name === 'string')
}
