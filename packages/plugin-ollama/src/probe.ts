import { type NodeSpec, openaiBase, type PluginHost, type ProbeReport } from '@plimsoll/core/plugin'
import { canonicalName, servedNames } from './model-names.js'
import { tagsAt, versionAt } from './server-facts.js'

/** Version, then the list of pulled models. Never a generation: that would load a model and change how long others stay loaded. */
export function createProbe(spec: NodeSpec, host: PluginHost): (signal: AbortSignal) => Promise<ProbeReport> {
  const { root } = openaiBase(spec.url)
  return async (signal) => {
    const version = await versionAt(root, host, signal)
    if (version === undefined) return { verdict: 'sick', reason: '/api/version gave no version; is this an Ollama server?' }
    const tags = await tagsAt(root, host, signal)
    if (tags === undefined) return { verdict: 'sick', reason: '/api/tags gave no list of models' }
    if (spec.model !== undefined && !tags.map(canonicalName).includes(canonicalName(spec.model))) {
      return { verdict: 'sick', reason: `${spec.model} is not pulled there; run: ollama pull ${spec.model}` }
    }
    return { verdict: 'ready', models: servedNames(tags), version }
  }
}
