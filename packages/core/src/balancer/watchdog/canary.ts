import type { Clock } from '../../base/index.js'
import type { Face, PluginHost } from '../../contracts/index.js'
import { messageOf } from '../../errors/index.js'
import type { Node } from '../../nodes/index.js'

/** What became of a request of lb's own. `answered`: served. `refused`: it speaks, but does not serve. `silent`: no answer in time. `failed`: no connection. */
export interface CanaryEnd {
  readonly kind: 'answered' | 'refused' | 'silent' | 'failed'
  /** For people; empty where it was answered. */
  readonly why: string
}

export interface CanaryContext {
  readonly host: Pick<PluginHost, 'send'>
  readonly clock: Clock
}

const BODIES: readonly (readonly [Face, object])[] = [
  ['openai-chat', { messages: [{ role: 'user', content: 'ping' }], max_tokens: 1, stream: false }],
  ['openai-completions', { prompt: 'ping', max_tokens: 1, stream: false }],
  ['openai-embeddings', { input: 'ping' }],
]

/** Asks a node for one token, as a client of it would. Undefined where it has no face that lb can ask by itself. */
export function askCanary(node: Node, withinMs: number, context: CanaryContext): Promise<CanaryEnd> | undefined {
  const { endpoint } = node
  const face = BODIES.find(([name]) => endpoint?.backend.dialect.paths[name] !== undefined)
  return endpoint === undefined || face === undefined ? undefined : ask(node, face, { withinMs, ...context })
}

interface Asking extends CanaryContext {
  readonly withinMs: number
}

async function ask(node: Node, [face, body]: readonly [Face, object], { host, clock, withinMs }: Asking): Promise<CanaryEnd> {
  const { endpoint, plan } = node
  if (endpoint === undefined) return { kind: 'failed', why: 'nothing runs there' }
  const { url, backend, authHeaders } = endpoint
  const { dialect } = backend
  const model = plan.group.model ?? backend.modelName ?? plan.pool.models[0]
  const abort = new AbortController()
  const { promise: late, resolve } = Promise.withResolvers<CanaryEnd>()
  const timer = clock.after(withinMs, () => {
    resolve({ kind: 'silent', why: `no answer to a request of one token within ${withinMs / 1_000} s` })
    abort.abort()
  })
  const answer = host
    .send('POST', `${url}${dialect.paths[face] ?? ''}`, {
      signal: abort.signal,
      headers: { ...dialect.headers.set, ...authHeaders },
      body: { model, ...body },
    })
    .then(({ status, text }): CanaryEnd => {
      const verdict = dialect.classify(status, {}, text.slice(0, 2_048))
      // What it says of this request is no matter: it has read it.
      return verdict === 'ok' || verdict === 'client'
        ? { kind: 'answered', why: '' }
        : { kind: 'refused', why: `it answered ${status} to a request of one token` }
    })
    .catch((error: unknown): CanaryEnd => ({ kind: 'failed', why: `a request of one token failed: ${messageOf(error)}` }))
  return Promise.race([answer, late]).finally(() => timer.cancel())
}
