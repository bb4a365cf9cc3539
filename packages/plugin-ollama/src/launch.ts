import { homedir } from 'node:os'
import { join } from 'node:path'
import type { LaunchPlan, LaunchSlot } from '@plimsoll/core/plugin'
import { goDurationMs, type OllamaSettings } from './settings.js'

/** Starting takes a second or two; the rest is for a busy machine. */
const startAllowanceMs = 60_000
const longestLoadMs = 24 * 3_600_000

/** `ollama serve` takes no flags: everything is environment. Its children (llama-server, one for each loaded model) outlive a SIGKILL of it; core finds them by their mark. */
export function launchPlan(settings: OllamaSettings, slot: LaunchSlot): LaunchPlan {
  return {
    command: 'ollama',
    args: ['serve'],
    env: serverEnvironment(settings, slot),
    readyWithinMs: (goDurationMs(settings.loadTimeout) ?? longestLoadMs) + startAllowanceMs,
  }
}

/** What is not set keeps Ollama's own default. Variables of the shell do not get here: only what a topology says counts. */
function serverEnvironment(settings: OllamaSettings, { host, port }: LaunchSlot): Record<string, string> {
  const { modelsDir, kvCacheType, gpuOverheadMiB } = settings
  // A quantised KV cache works with flash attention only; without it Ollama falls back to f16 and says so in its log alone.
  const flashAttention = settings.flashAttention ?? (kvCacheType === undefined || kvCacheType === 'f16' ? undefined : true)
  return defined({
    OLLAMA_HOST: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    OLLAMA_MODELS: modelsDir,
    OLLAMA_NUM_PARALLEL: settings.parallel,
    OLLAMA_MAX_LOADED_MODELS: settings.maxLoadedModels,
    OLLAMA_MAX_QUEUE: settings.maxQueue,
    OLLAMA_KEEP_ALIVE: settings.keepAlive,
    OLLAMA_LOAD_TIMEOUT: settings.loadTimeout,
    OLLAMA_CONTEXT_LENGTH: settings.contextTokens,
    OLLAMA_FLASH_ATTENTION: flag(flashAttention),
    OLLAMA_KV_CACHE_TYPE: kvCacheType,
    OLLAMA_SCHED_SPREAD: flag(settings.spread),
    OLLAMA_GPU_OVERHEAD: gpuOverheadMiB === undefined ? undefined : gpuOverheadMiB * 1024 ** 2,
    OLLAMA_NOPRUNE: settings.noPrune ? '1' : undefined,
    OLLAMA_NO_CLOUD: settings.cloud ? undefined : '1',
  })
}

/** Where the models lie of a server with this environment. */
export function modelsFolder({ modelsDir }: Pick<OllamaSettings, 'modelsDir'>, env: Readonly<Record<string, string | undefined>>): string {
  const { OLLAMA_MODELS: declared, HOME: home = homedir() } = env
  if (declared !== undefined && declared !== '') return declared
  return modelsDir ?? join(home, '.ollama', 'models')
}

function flag(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : value ? '1' : '0'
}

function defined(values: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])))
}
