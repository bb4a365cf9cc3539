import type { HostResponse } from '@plimsoll/core/plugin'
import { readJson } from './read-json.js'

/** What `/version` tells; undefined where that path is not vLLM's. Throws when the server cannot be reached. */
export async function readVersion(
  ask: { get(path: string, signal: AbortSignal): Promise<HostResponse> },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { status, text } = await ask.get('/version', signal)
  const version = status === 200 ? readJson(text)?.['version'] : undefined
  return typeof version === 'string' ? version.slice(0, 64) : undefined
}
