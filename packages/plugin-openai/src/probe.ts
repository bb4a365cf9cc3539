import { type NodeSpec, openaiBase, type PluginHost, probeOpenAi, type ProbeReport } from '@plimsoll/core/plugin'

/**
 * Asks for the model list: the one cheap question that every OpenAI-compatible server answers, and that needs the key to be right. Where
 * the topology names a path that tells readiness, that one decides, and a server without a model list is ready too.
 */
export async function probe(spec: NodeSpec, host: PluginHost, signal: AbortSignal): Promise<ProbeReport> {
  const { root, modelsPath } = openaiBase(spec.url)
  const auth = spec.apiKey === undefined ? {} : { apiKey: spec.apiKey }
  if (spec.readyPath === undefined) return probeOpenAi(host, { url: spec.url, path: modelsPath, signal, ...auth })
  const headers: Record<string, string> = spec.apiKey === undefined ? {} : { authorization: `Bearer ${spec.apiKey}` }
  const { status } = await host.get(`${root}${spec.readyPath}`, { signal, headers })
  if (status === 503) return { verdict: 'loading', reason: `${spec.readyPath} answers 503` }
  if (status !== 200) return { verdict: 'sick', reason: `${spec.readyPath} answered ${status}` }
  const list = await probeOpenAi(host, { url: spec.url, path: modelsPath, signal, ...auth })
  return list.verdict === 'ready' ? list : { verdict: 'ready' }
}
