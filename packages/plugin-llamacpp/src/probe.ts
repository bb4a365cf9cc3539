import { type NodeSpec, openaiBase, type PluginHost, probeOpenAi, type ProbeReport } from '@plimsoll/core/plugin'
import { readJson } from './read-json.js'

/** `/health` (public, tells loading from ready), then the model list (needs the key, so a wrong one is found here and not by clients). */
export function createProbe(spec: NodeSpec, host: PluginHost): (signal: AbortSignal) => Promise<ProbeReport> {
  const { root, modelsPath } = openaiBase(spec.url)
  const auth = spec.apiKey === undefined ? {} : { apiKey: spec.apiKey }
  const readVersion = rememberedVersion(root, host, spec.apiKey)
  return async (signal) => {
    const { status, text } = await host.get(`${root}/health`, { signal })
    if (status !== 200) return unhealthy(status, text)
    const report = await probeOpenAi(host, { url: spec.url, path: modelsPath, signal, ...auth })
    if (report.verdict !== 'ready') return report
    const version = await readVersion(signal)
    return version === undefined ? report : { ...report, version }
  }
}

function unhealthy(status: number, text: string): ProbeReport {
  if (status === 503 && text.includes('Loading model')) return { verdict: 'loading', reason: 'loading the model' }
  return { verdict: 'sick', reason: `/health answered ${status}${status === 404 ? '; is this a llama-server?' : ''}` }
}

/** Asked once, of `/props`, which neither wakes a sleeping server nor asks the engine. Where it is closed, the version stays unknown. */
function rememberedVersion(
  root: string,
  host: PluginHost,
  apiKey: string | undefined,
): (signal: AbortSignal) => Promise<string | undefined> {
  const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
  let known: string | null | undefined
  return async (signal) => {
    known ??= await buildInfo(root, host, { signal, headers }).catch(() => null)
    return known ?? undefined
  }
}

async function buildInfo(
  root: string,
  host: PluginHost,
  options: { signal: AbortSignal; headers: Record<string, string> },
): Promise<string | null> {
  const { status, text } = await host.get(`${root}/props`, options)
  const build = status === 200 ? readJson(text)?.['build_info'] : undefined
  return typeof build === 'string' ? build : null
}
