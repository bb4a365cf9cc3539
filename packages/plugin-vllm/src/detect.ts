import { onPath, type Detection, type PluginHost, probeOpenAi } from '@plimsoll/core/plugin'
import { versionAt } from './probe.js'

const patienceMs = 1500

/** Looks for a server at vLLM's default port, then for the command. */
export async function detect(host: PluginHost, url = 'http://127.0.0.1:8000'): Promise<Detection> {
  const signal = AbortSignal.timeout(patienceMs)
  const [version, command] = await Promise.all([versionAt(url, host, signal).catch(() => undefined), onPath('vllm')])
  if (version !== undefined) return running(host, { url, version, signal })
  if (command !== undefined) return { found: true, detail: `${command}; no server at ${url}` }
  return { found: false, detail: `no server at ${url}, no vllm on PATH` }
}

async function running(host: PluginHost, server: { url: string; version: string; signal: AbortSignal }): Promise<Detection> {
  const { url, version, signal } = server
  const report = await probeOpenAi(host, { url, signal }).catch(() => undefined)
  const models = report?.verdict === 'ready' ? report.models : undefined
  return { found: true, url, version, detail: `vLLM ${version} runs at ${url}`, ...(models === undefined ? {} : { models }) }
}
