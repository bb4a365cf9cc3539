import type { WeightsFetcher } from '@plimsoll/core'
import { hubSettings, parseHubReference, pullRepository } from '../hub/index.js'

/** Fetches what a rollout will launch into the cache where the engine looks, as `lb models pull` does. False for what is no model of a hub. */
export const fetchFromHub: WeightsFetcher = async ({ model, env }, { signal, onProgress }) => {
  const reference = parseHubReference(model)
  if (reference === undefined) return false
  const isGguf = reference.quant !== undefined || model.startsWith('hf:')
  await pullRepository({
    reference,
    settings: hubSettings(env),
    include: [],
    exclude: [],
    ...(isGguf ? { gguf: true } : {}),
    signal,
    onProgress: ({ file, doneBytes, totalBytes }) => onProgress({ step: file, doneBytes, totalBytes }),
    env,
  })
  return true
}
