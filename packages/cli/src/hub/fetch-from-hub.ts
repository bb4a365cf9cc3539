import type { WeightsFetcher } from '@plimsoll/core'
import { parseHubReference } from './hub-reference.js'
import { hubSettings } from './hub-settings.js'
import { pullRepository } from './pull-repository.js'

/** Fetches what a rollout will launch into the cache where its engine looks, as `lb models pull` does. False for what is no model of a hub. */
export const fetchFromHub: WeightsFetcher = async ({ model, env: own }, { signal, onProgress }) => {
  const reference = parseHubReference(model)
  if (reference === undefined) return false
  const env = { ...process.env, ...own }
  const isGguf = reference.quant !== undefined || model.startsWith('hf:')
  const { LLAMA_CACHE: cache } = env
  const settings = { ...hubSettings(env), ...(isGguf && cache !== undefined && cache !== '' ? { cacheDir: cache } : {}) }
  await pullRepository({
    reference,
    settings,
    ...(isGguf ? { gguf: true } : {}),
    signal,
    onProgress: ({ file, doneBytes, totalBytes }) => onProgress({ step: file, doneBytes, totalBytes }),
    env,
  })
  return true
}
