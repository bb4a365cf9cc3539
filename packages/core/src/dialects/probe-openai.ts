import type { PluginHost, ProbeReport } from '../contracts/index.js'

export interface ProbeOpenAiOptions {
  /** Base URL of the server. */
  readonly url: string
  readonly apiKey?: string
  readonly signal: AbortSignal
  /** Path of the model list, default `/v1/models`. */
  readonly path?: string
}

/** Asks an OpenAI-compatible server for its models: reachable, key right, which models. Throws when it does not answer. */
export async function probeOpenAi(host: PluginHost, options: ProbeOpenAiOptions): Promise<ProbeReport> {
  const path = options.path ?? '/v1/models'
  const headers = options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }
  const answer = await host.get(`${options.url}${path}`, { signal: options.signal, headers })
  if (answer.status === 503 && /loading/i.test(answer.text)) return { verdict: 'loading', reason: 'loading the model' }
  if (answer.status === 401 || answer.status === 403)
    return { verdict: 'sick', reason: `${path} answered ${answer.status}: the key is missing or wrong` }
  if (answer.status !== 200) return { verdict: 'sick', reason: `${path} answered ${answer.status}` }
  const models = modelNames(answer.text)
  return models === undefined ? { verdict: 'sick', reason: `${path} holds no model list` } : { verdict: 'ready', models }
}

/** Names in a model list: OpenAI's `data[].id`, or Ollama's `models[].name`. */
function modelNames(text: string): readonly string[] | undefined {
  const list = listOf(text)
  return list?.flatMap((entry) => {
    if (typeof entry !== 'object' || entry === null) return []
    const { id, name } = entry as { id?: unknown; name?: unknown }
    return typeof id === 'string' ? id : typeof name === 'string' ? name : []
  })
}

function listOf(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { data, models } = value as { data?: unknown; models?: unknown }
    return Array.isArray(data) ? data : Array.isArray(models) ? models : undefined
  } catch {
    return undefined
  }
}
