import type { Clock } from '../base/index.js'
import type { HeaderView, Logger } from '../contracts/index.js'
import { errorBody } from '../dialects/index.js'
import { LbError, isLbError, messageOf } from '../errors/index.js'
import type { Proxy } from '../proxy/index.js'
import type { Exchange } from '../wire/index.js'
import type { Cors } from './cors.js'
import type { KeyRing } from './key-ring.js'
import { requestIdOf } from './request-id.js'
import { refusalOf, routeOf, type GatewayRoute } from './routes.js'

const GRPC = /^application\/grpc(?:$|[-+;\s])/i

export interface GatewayOptions {
  readonly proxy: Pick<Proxy, 'handle'>
  readonly keys: () => KeyRing
  /** Undefined: pages of other origins are told nothing. */
  readonly cors: () => Cors | undefined
  /** Why new requests are refused; undefined while they are welcome. */
  readonly closedBecause: () => string | undefined
  /** True while at least one pool has a node that takes requests. */
  readonly ready: () => boolean
  /** Model names that clients may ask for. */
  readonly models: () => readonly string[]
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  readonly startedAtMs: number
  readonly clock: Clock
  readonly log: Logger
}

export interface Gateway {
  /** Serves one exchange to its end. Never throws. */
  handle(exchange: Exchange): void
}

/** The HTTP face that clients talk to: who may enter, and which door leads where. */
export function createGateway(options: GatewayOptions): Gateway {
  return {
    handle(given) {
      const cors = options.cors()
      const exchange = cors === undefined ? given : cors.open(given)
      const requestId = requestIdOf(givenId(exchange.head.headers), options.clock.epochMs())
      try {
        serve(options, exchange, { requestId, cors })
      } catch (thrown) {
        answerError(options, exchange, { requestId, thrown })
      }
    },
  }
}

/** An id that the Connection header names was meant for one hop (RFC 9110 section 7.6.1), and ours goes further. */
function givenId(headers: HeaderView): string | undefined {
  return headers['connection']?.toLowerCase().includes('x-request-id') === true ? undefined : headers['x-request-id']
}

interface Request {
  readonly requestId: string
  readonly cors: Cors | undefined
}

function serve(options: GatewayOptions, exchange: Exchange, { requestId, cors }: Request): void {
  const { path, method, headers } = exchange.head
  const route = routeOf(path)
  const preflight = route === undefined ? undefined : cors?.preflight(exchange, allowOf(route))
  // A browser asks before it may send a key.
  if (preflight !== undefined) {
    exchange.respond({ status: 204, headers: { 'x-request-id': requestId, ...preflight } })
    return exchange.end()
  }
  // Probes of this gateway carry no keys; they learn only that it lives.
  const client = route?.kind === 'health' || route?.kind === 'ready' ? undefined : options.keys().check(headers)
  if (GRPC.test(headers['content-type'] ?? '')) throw noGrpc()
  if (route === undefined) throw clientError('LB_NO_SUCH_PATH', `${path.slice(0, 200)} is not served: ${refusalOf(path)}`, 404)
  if (method !== route.method && !(method === 'HEAD' && route.method === 'GET')) throw wrongMethod(method, route)
  if (route.kind !== 'inference') return answerOwn(options, exchange, { route, requestId })
  const closed = options.closedBecause()
  if (closed !== undefined)
    throw new LbError(closed, { code: 'LB_DRAINING', source: 'lb', httpStatus: 503, retry: 'after-wait', retryAfterMs: 1_000 })
  options.proxy.handle({ exchange, face: route.face, requestId, client })
}

function answerOwn(options: GatewayOptions, exchange: Exchange, { route, requestId }: { route: GatewayRoute; requestId: string }): void {
  if (route.kind === 'metrics') {
    void options.metrics().then(({ contentType, text }) => send(exchange, { status: 200, contentType, requestId }, text))
    return
  }
  if (route.kind === 'models') return answerModels(options, exchange, requestId)
  const ready = route.kind === 'health' || (options.ready() && options.closedBecause() === undefined)
  send(
    exchange,
    { status: ready ? 200 : 503, contentType: 'application/json', requestId },
    JSON.stringify({ status: ready ? 'ok' : 'not ready' }),
  )
}

function answerModels(options: GatewayOptions, exchange: Exchange, requestId: string): void {
  const list = options.models().map((id) => ({ id, object: 'model', created: Math.floor(options.startedAtMs / 1000), owned_by: 'lb' }))
  const wanted = decode(exchange.head.path.slice('/v1/models/'.length))
  const found = wanted === '' ? { object: 'list', data: list } : list.find((model) => model.id === wanted)
  if (found === undefined)
    throw clientError('LB_UNKNOWN_MODEL', `the model ${JSON.stringify(wanted.slice(0, 200))} does not exist here`, 404)
  send(exchange, { status: 200, contentType: 'application/json', requestId }, JSON.stringify(found))
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

interface OwnAnswer {
  readonly status: number
  readonly contentType: string
  readonly requestId: string
  readonly headers?: Readonly<Record<string, string>>
}

function send(exchange: Exchange, answer: OwnAnswer, text: string): void {
  const body = Buffer.from(text)
  exchange.respond({
    status: answer.status,
    headers: {
      'content-type': answer.contentType,
      'content-length': String(body.byteLength),
      'x-request-id': answer.requestId,
      ...answer.headers,
    },
  })
  if (exchange.head.method !== 'HEAD') exchange.write(body)
  exchange.end()
}

function answerError(options: GatewayOptions, exchange: Exchange, { requestId, thrown }: { requestId: string; thrown: unknown }): void {
  if (!isLbError(thrown)) options.log.error('gateway.bug', { request: requestId, error: messageOf(thrown) })
  if (exchange.committed) return exchange.abort()
  const error = isLbError(thrown)
    ? thrown
    : new LbError('lb failed on this request; its log says more', { code: 'LB_BUG', source: 'lb', httpStatus: 500 })
  const headers = {
    ...(error instanceof WrongMethod ? { allow: error.allow } : {}),
    ...(error.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(error.retryAfterMs / 1000)) }),
    ...(error.httpStatus === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  }
  send(exchange, { status: error.httpStatus || 500, contentType: 'application/json', requestId, headers }, errorBody(error, requestId))
}

class WrongMethod extends LbError {
  constructor(
    message: string,
    readonly allow: string,
  ) {
    super(message, { code: 'LB_WRONG_METHOD', source: 'client', httpStatus: 405 })
  }
}

function wrongMethod(method: string, route: GatewayRoute): LbError {
  const allow = allowOf(route)
  return new WrongMethod(`${method.slice(0, 20)} is not the method here; it is ${allow}`, allow)
}

function allowOf(route: GatewayRoute): string {
  return route.method === 'GET' ? 'GET, HEAD' : route.method
}

function noGrpc(): LbError {
  return new LbError('gRPC is not spoken here; put Envoy in front of servers that speak it (docs/scope.md)', {
    code: 'LB_NO_GRPC',
    source: 'client',
    httpStatus: 415,
    hint: 'the same models answer JSON at /v1/chat/completions',
  })
}

function clientError(code: string, message: string, httpStatus: number): LbError {
  return new LbError(message, { code, source: 'client', httpStatus })
}
