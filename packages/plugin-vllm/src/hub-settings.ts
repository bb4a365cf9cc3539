import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the Hugging Face client of a launched engine looks and asks, from the environment that it gets. */
export interface HubSettings {
  /** Folder of `models--ORG--NAME`. */
  readonly cacheDir: string
  /** Without a slash at its end. */
  readonly endpoint: string
  readonly token: string | undefined
  /** The engine may not ask the hub at all. */
  readonly isOffline: boolean
  /** It asks through a proxy, which this check does not. */
  readonly usesProxy: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/** The variables in the order that huggingface_hub reads them. */
export function hubSettings(env: Environment): HubSettings {
  const home = env['HF_HOME'] ?? join(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache'), 'huggingface')
  return {
    cacheDir: env['HF_HUB_CACHE'] ?? env['HUGGINGFACE_HUB_CACHE'] ?? join(home, 'hub'),
    endpoint: (env['HF_ENDPOINT'] ?? 'https://huggingface.co').replace(/\/+$/, ''),
    token: env['HF_TOKEN'] ?? env['HUGGING_FACE_HUB_TOKEN'] ?? savedToken(env['HF_TOKEN_PATH'] ?? join(home, 'token')),
    isOffline: isOn(env['HF_HUB_OFFLINE']) || isOn(env['TRANSFORMERS_OFFLINE']),
    usesProxy: ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) => (env[name] ?? '') !== ''),
  }
}

/** What `hf auth login` leaves. */
function savedToken(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}

function isOn(value: string | undefined): boolean {
  return /^(1|true|yes|on)$/i.test(value ?? '')
}
