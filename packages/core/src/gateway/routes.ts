import type { Face } from '../contracts/index.js'

/** What a path of the gateway is for. */
export type GatewayRoute =
  | { readonly kind: 'inference'; readonly method: 'POST'; readonly face: Face }
  | { readonly kind: 'models' | 'health' | 'ready' | 'metrics'; readonly method: 'GET' }

const inference = (face: Face): GatewayRoute => ({ kind: 'inference', method: 'POST', face })

/** Every path that is served. */
export const gatewayRoutes: Readonly<Record<string, GatewayRoute>> = {
  '/v1/chat/completions': inference('openai-chat'),
  '/v1/completions': inference('openai-completions'),
  '/v1/embeddings': inference('openai-embeddings'),
  '/v1/audio/transcriptions': inference('openai-transcriptions'),
  '/v1/models': { kind: 'models', method: 'GET' },
  '/health': { kind: 'health', method: 'GET' },
  '/ready': { kind: 'ready', method: 'GET' },
  '/metrics': { kind: 'metrics', method: 'GET' },
}

/** Paths that other servers have and this one refuses, with the reason. */
const refusals: readonly (readonly [prefix: string, why: string])[] = [
  ['/v1/files', 'lb keeps no files; send clients that need them to the provider itself (docs/scope.md)'],
  ['/v1/uploads', 'lb keeps no files; send clients that need them to the provider itself (docs/scope.md)'],
  ['/v1/batches', 'lb runs no batches; send clients that need them to the provider itself (docs/scope.md)'],
  ['/v1/fine_tuning', 'lb trains nothing; send clients that need it to the provider itself (docs/scope.md)'],
  ['/v1/assistants', 'assistants hold state that one provider owns; send clients that need them there (docs/scope.md)'],
  ['/v1/threads', 'threads hold state that one provider owns; send clients that need them there (docs/scope.md)'],
  ['/v1/images', 'lb balances text; ask the engine that makes images itself (docs/scope.md)'],
  ['/v1/videos', 'lb balances text; ask the engine that makes videos itself (docs/scope.md)'],
  ['/v1/audio/speech', 'lb balances text; ask the engine that speaks itself (docs/scope.md)'],
  ['/v1/realtime', 'lb speaks no WebSocket; connect to the engine itself (docs/scope.md)'],
  ['/v2/', "KServe's and Triton's protocol is not spoken; put Envoy in front of such servers (docs/scope.md)"],
  ['/v1/responses', 'the Responses API is not served; use /v1/chat/completions'],
  ['/v1/messages', "Anthropic's API is not served; use /v1/chat/completions"],
  ['/api/', 'native engine APIs are not served; use /v1/chat/completions'],
]

/** The route of a path; a model's own page belongs to the list. */
export function routeOf(path: string): GatewayRoute | undefined {
  if (path.startsWith('/v1/models/')) return gatewayRoutes['/v1/models']
  return Object.hasOwn(gatewayRoutes, path) ? gatewayRoutes[path] : undefined
}

/** Why a path is refused, in one sentence. */
export function refusalOf(path: string): string {
  const known = refusals.find(([prefix]) => path.startsWith(prefix))
  return known?.[1] ?? `served here: ${Object.keys(gatewayRoutes).join(', ')}`
}
