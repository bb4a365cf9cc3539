import { type HostResponse, type NodeSpec, openaiBase, type PluginHost } from '@plimsoll/core/plugin'
import { readJson } from './read-json.js'

/** What `/props` tells: cheap, asks neither the engine nor wakes it, closed while the model loads. */
export interface Props {
  readonly build?: string
  readonly isRouter: boolean
  readonly isAsleep: boolean
  readonly slots?: number
  /** Of one slot. */
  readonly contextTokens?: number
  /** False where `/metrics` and `/slots` would only answer 501. */
  readonly hasMetrics: boolean
  readonly hasSlots: boolean
  /** A router's: whether a request loads a model that is not in memory. */
  readonly autoload: boolean
}

/** The paths of one llama-server, asked with its key. */
export class Server {
  readonly root: string
  readonly modelsPath: string
  private readonly headers: Readonly<Record<string, string>>

  constructor(
    readonly spec: NodeSpec,
    private readonly host: PluginHost,
  ) {
    const { root, modelsPath } = openaiBase(spec.url)
    this.root = root
    this.modelsPath = modelsPath
    this.headers = spec.apiKey === undefined ? {} : { authorization: `Bearer ${spec.apiKey}` }
  }

  get(path: string, signal: AbortSignal): Promise<HostResponse> {
    return this.host.get(`${this.root}${path}`, { signal, headers: this.headers })
  }

  post(path: string, body: unknown, signal: AbortSignal): Promise<HostResponse> {
    return this.host.send('POST', `${this.root}${path}`, { signal, headers: this.headers, body })
  }

  models(signal: AbortSignal): Promise<HostResponse> {
    return this.host.get(`${this.spec.url}${this.modelsPath}`, { signal, headers: this.headers })
  }

  /** Undefined where it is closed or answers something else. */
  async props(signal: AbortSignal, query = ''): Promise<Props | undefined> {
    const { status, text } = await this.get(`/props${query}`, signal)
    const props = status === 200 ? readJson(text) : undefined
    return props === undefined ? undefined : readProps(props)
  }
}

function readProps(props: Readonly<Record<string, unknown>>): Props {
  const generation = props['default_generation_settings']
  const context = typeof generation === 'object' && generation !== null ? (generation as { n_ctx?: unknown }).n_ctx : undefined
  const build = props['build_info']
  return {
    ...(typeof build === 'string' ? { build: build.slice(0, 100) } : {}),
    isRouter: props['role'] === 'router',
    isAsleep: props['is_sleeping'] === true,
    ...(isCount(props['total_slots']) ? { slots: props['total_slots'] } : {}),
    ...(isCount(context) ? { contextTokens: context } : {}),
    hasMetrics: props['endpoint_metrics'] !== false,
    hasSlots: props['endpoint_slots'] !== false,
    autoload: props['models_autoload'] !== false,
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}
