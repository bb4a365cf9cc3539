import { onPath, type Detection, type PluginHost } from '@plimsoll/core/plugin'
import { askEngine } from './ask-engine.js'
import { cachedModels } from './cached-models.js'
import { installedVersion } from './installed-version.js'
import { readServedModels } from './served-models.js'
import { readVersion } from './version.js'

const patienceMs = 1500

/** Looks for a server at vLLM's default port, then for the command and a model in the cache that it could be launched with. */
export async function detect(host: PluginHost, url = 'http://127.0.0.1:8000', searchPath = process.env['PATH'] ?? ''): Promise<Detection> {
  const signal = AbortSignal.timeout(patienceMs)
  const [running, command] = await Promise.all([serverAt(url, host, signal).catch(() => undefined), onPath('vllm', searchPath)])
  if (running !== undefined) return running
  if (command !== undefined) return installed(command, url)
  return { found: false, detail: `no server at ${url}, no vllm on PATH` }
}

async function installed(command: string, url: string): Promise<Detection> {
  const version = await installedVersion(command)
  const models = cachedModels()
  const [newest] = models
  const cached =
    newest === undefined
      ? 'no model in the cache'
      : `${models.length} model${models.length === 1 ? '' : 's'} in the cache, the newest ${newest}`
  return {
    found: true,
    detail: `${command}; no server at ${url}; ${cached}`,
    ...(version === undefined ? {} : { version }),
    ...(newest === undefined ? {} : { models: [newest], weights: newest }),
  }
}

async function serverAt(url: string, host: PluginHost, signal: AbortSignal): Promise<Detection | undefined> {
  const ask = askEngine({ url }, host)
  const version = await readVersion(ask, signal)
  if (version === undefined) return undefined
  const list = await ask.models(signal).catch(() => undefined)
  const models = list?.status === 200 ? readServedModels(list.text)?.names : undefined
  return { found: true, url, version, detail: `vLLM ${version} runs at ${url}`, ...(models === undefined ? {} : { models }) }
}
