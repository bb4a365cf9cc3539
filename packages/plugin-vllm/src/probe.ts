import { type NodeSpec, openaiBase, type PluginHost, probeOpenAi, type ProbeReport } from '@plimsoll/core/plugin'
import { readJson } from './read-json.js'

/**
 * `/health`, then the model list. vLLM refuses connections while it loads (there is no 503 phase); at an attached node that
 * cannot be told from a server that is not there, so it counts as sick and says "connection refused".
 */
export function createProbe(spec: NodeSpec, host: PluginHost): (signal: AbortSignal) => Promise<ProbeReport> {
  const { root, modelsPath } = openaiBase(spec.url)
  const readVersion = rememberedVersion(root, host)
  return async (signal) => {
    const { status, text } = await host.get(`${root}/health`, { signal })
    if (status !== 200) return unhealthy(status, text)
    const auth = spec.apiKey === undefined ? {} : { apiKey: spec.apiKey }
    const report = await probeOpenAi(host, { url: spec.url, path: modelsPath, signal, ...auth })
    if (report.verdict !== 'ready') return report
    const version = await readVersion(signal)
    return version === undefined ? report : { ...report, version }
  }
}

function unhealthy(status: number, text: string): ProbeReport {
  if (status === 503 && text.includes('currently scaling')) return { verdict: 'loading', reason: 'the engine is scaling' }
  if (status === 503) return { verdict: 'sick', reason: 'the engine behind the server is dead (503 from /health)' }
  return { verdict: 'sick', reason: `/health answered ${status}; is this a vLLM server?` }
}

/** Asked once: it is for people to read, and a node that is asked every 2 s should be asked little. */
function rememberedVersion(root: string, host: PluginHost): (signal: AbortSignal) => Promise<string | undefined> {
  let known: string | undefined
  return async (signal) => (known ??= await versionAt(root, host, signal).catch(() => undefined))
}

/** The version that `/version` tells; undefined where that path is not vLLM's. Throws when the server cannot be reached. */
export async function versionAt(root: string, host: PluginHost, signal: AbortSignal): Promise<string | undefined> {
  const { status, text } = await host.get(`${root}/version`, { signal })
  const version = status === 200 ? readJson(text)?.['version'] : undefined
  return typeof version === 'string' ? version : undefined
}
