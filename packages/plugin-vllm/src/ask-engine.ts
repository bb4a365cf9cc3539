import { type HostResponse, LbError, type NodeSpec, openaiBase, type PluginHost } from '@plimsoll/core/plugin'

/** Questions to one engine: its own paths stand at the root, with the key where it wants one. */
export interface EngineQuestions {
  get(path: string, signal: AbortSignal): Promise<HostResponse>
  post(path: string, signal: AbortSignal, body?: unknown): Promise<HostResponse>
  /** The model list stands where the faces do, which need not be the root. */
  models(signal: AbortSignal): Promise<HostResponse>
}

export function askEngine(spec: Pick<NodeSpec, 'url' | 'apiKey'>, host: PluginHost): EngineQuestions {
  const { root, modelsPath } = openaiBase(spec.url)
  const headers = spec.apiKey === undefined ? {} : { authorization: `Bearer ${spec.apiKey}` }
  return {
    get: (path, signal) => host.get(root + path, { signal, headers }),
    post: (path, signal, body) => host.send('POST', root + path, { signal, headers, ...(body === undefined ? {} : { body }) }),
    models: (signal) => host.get(spec.url + modelsPath, { signal, headers }),
  }
}

/** The sentence in an engine's refusal: `error` is an object on most paths and a string on some. */
export function refusalText({ status, text }: HostResponse): string {
  const said = /"message":\s*"((?:[^"\\]|\\.){1,300})/.exec(text)?.[1] ?? /"(?:error|detail)":\s*"((?:[^"\\]|\\.){1,300})/.exec(text)?.[1]
  return `${status}${said === undefined ? '' : `: ${said}`}`
}

/** Throws LB_ENGINE_REFUSED unless the answer is good. */
export function expectGood(answer: HostResponse, what: string, hint: string): void {
  if (answer.status < 300) return
  throw new LbError(`vLLM did not ${what} (${refusalText(answer)})`, { code: 'LB_ENGINE_REFUSED', source: 'engine', hint })
}
