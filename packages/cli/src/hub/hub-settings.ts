import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the hub is and who asks, by the variables that every program of Hugging Face reads. */
export interface HubSettings {
  /** Without a trailing slash. */
  readonly endpoint: string
  readonly token: string | undefined
  /** Folder of `models--org--name`. */
  readonly cacheDir: string
  /** Nothing may be fetched. */
  readonly offline: boolean
}

/** HF_ENDPOINT, HF_TOKEN (or the file of `hf auth login`), HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HF_HUB_OFFLINE. */
export function hubSettings(env: NodeJS.ProcessEnv = process.env): HubSettings {
  const cache = given(env, 'XDG_CACHE_HOME') ?? join(given(env, 'HOME') ?? homedir(), '.cache')
  const home = given(env, 'HF_HOME') ?? join(cache, 'huggingface')
  return {
    endpoint: (given(env, 'HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, ''),
    token: given(env, 'HF_TOKEN') ?? fileText(given(env, 'HF_TOKEN_PATH') ?? join(home, 'token')),
    cacheDir: given(env, 'HF_HUB_CACHE') ?? join(home, 'hub'),
    offline: /^(1|true|yes|on)$/i.test(env['HF_HUB_OFFLINE'] ?? ''),
  }
}

function given(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim()
  return value === '' ? undefined : value
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
