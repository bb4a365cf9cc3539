import { type NodeSpec, openaiBase, type PluginHost, probeOpenAi, type ProbeReport } from '@plimsoll/core/plugin'

/** Asks for the model list: the one cheap question that every OpenAI-compatible server answers, and that needs the key to be right. */
export function probe(spec: NodeSpec, host: PluginHost, signal: AbortSignal): Promise<ProbeReport> {
  return probeOpenAi(host, {
    url: spec.url,
    path: openaiBase(spec.url).modelsPath,
    signal,
    ...(spec.apiKey === undefined ? {} : { apiKey: spec.apiKey }),
  })
}
