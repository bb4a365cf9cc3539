import type { WeightsFetcher } from '@plimsoll/core'
import { parseHubReference } from './hub-reference.js'
import { hubSettings } from './hub-settings.js'
import { pullOverSsh, type SshPlace } from './pull-over-ssh.js'
import { pullRepository } from './pull-repository.js'

/** Fetches what a rollout will launch into the cache where its engine looks, here or over there, as `lb models pull` does. False for what is no model of a hub. */
export const fetchFromHub: WeightsFetcher = async ({ model, group, env: own }, { signal, onProgress }) => {
  const named = parseHubReference(model)
  if (named === undefined) return false
  const { revision } = (group.launch?.settings ?? {}) as { readonly revision?: unknown }
  const reference = { ...named, ...(named.revision === undefined && typeof revision === 'string' ? { revision } : {}) }
  const env = { ...process.env, ...own }
  const isGguf = reference.quant !== undefined || model.startsWith('hf:')
  const { LLAMA_CACHE: cache } = env
  const settings = { ...hubSettings(env), ...(isGguf && cache !== undefined && cache !== '' ? { cacheDir: cache } : {}) }
  const wish = { reference, settings, signal, ...(isGguf ? { gguf: true } : {}) }
  if (group.host === undefined) {
    await pullRepository({
      ...wish,
      env,
      onProgress: ({ file, doneBytes, totalBytes }) => onProgress({ step: file, doneBytes, totalBytes }),
    })
    return true
  }
  const place = placeOf(group.host)
  await pullOverSsh({ ...wish, place, variables: own, onStep: (step) => onProgress({ step: `${place.host}: ${step}` }) })
  return true
}

function placeOf({ ssh, sshConfig, venv }: NonNullable<Parameters<WeightsFetcher>[0]['group']['host']>): SshPlace {
  return { ...ssh, ...(sshConfig === undefined ? {} : { configFile: sshConfig }), ...(venv === undefined ? {} : { venv }) }
}
