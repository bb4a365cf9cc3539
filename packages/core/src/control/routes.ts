import { recordJson } from '../dialects/index.js'
import { LbError } from '../errors/index.js'
import type { ControlActions, StopRequest } from './actions.js'
import type { BodySchema } from './body-check.js'
import { steeringRoutes } from './steering-routes.js'
import { whyJson, type WhyJson } from './why.js'

/** What a route gives back: JSON, plain text, or the event stream. */
export type ControlAnswer = { readonly json: unknown } | { readonly text: string } | { readonly stream: 'events' }

export interface ControlRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Parsed JSON body; `{}` when empty. */
  readonly body: unknown
}

export interface ControlRoute {
  readonly method: 'GET' | 'POST'
  /** With `{name}` for one path segment. */
  readonly path: string
  readonly summary: string
  /** What the body must be; absent: none is needed. */
  readonly body?: BodySchema
  handle(actions: ControlActions, request: ControlRequest): ControlAnswer | Promise<ControlAnswer>
}

type NodeVerb = 'drain' | 'resume' | 'restart'

/** Every route of control version 1; the OpenAPI document is made from this table. */
export const controlRoutes: readonly ControlRoute[] = [
  {
    method: 'GET',
    path: '/v1/status',
    summary: 'State of the gateway, pools, nodes and GPUs; with `fresh=1` it waits for new figures of the GPUs, at most 1.5 s',
    handle: async (actions, request) => ({ json: await actions.status(request.query.get('fresh') === '1') }),
  },
  { method: 'GET', path: '/v1/events', summary: 'Recent events, then each new one as a JSON line', handle: () => ({ stream: 'events' }) },
  { method: 'GET', path: '/v1/metrics', summary: 'Prometheus text', handle: (actions) => ({ text: actions.metrics() }) },
  {
    method: 'GET',
    path: '/v1/models',
    summary: 'What each node serves, asked of the engines now (at most 5 s)',
    handle: async (actions) => ({ json: { nodes: await actions.models() } }),
  },
  {
    method: 'GET',
    path: '/v1/requests',
    summary: 'The newest request records, newest first; `limit` 1..1000, default 100',
    handle: (actions, request) => ({ json: { requests: actions.requests(limitOf(request.query)).map(recordJson) } }),
  },
  {
    method: 'GET',
    path: '/v1/requests/{id}/why',
    summary: 'How the request with this `x-request-id` found its node: its record, and its decisions where it was traced',
    handle: (actions, request) => ({ json: whyOf(actions, request.params['id'] ?? '') }),
  },
  {
    method: 'GET',
    path: '/v1/decisions',
    summary: 'The newest requests whose decisions were traced, newest first; `limit` 1..1000, default 100',
    handle: (actions, request) => ({ json: { traced: actions.traced(limitOf(request.query)).map(whyJson) } }),
  },
  {
    method: 'GET',
    path: '/v1/quarantine',
    summary: 'Requests that are refused because engines crashed on them',
    handle: (actions) => ({ json: { bodies: actions.quarantine() } }),
  },
  {
    method: 'POST',
    path: '/v1/quarantine/{fingerprint}/lift',
    summary: 'Let such a request through again',
    handle: (actions, request) => ({ json: lifted(actions, request.params['fingerprint'] ?? '') }),
  },
  nodeRoute('drain', 'Take no new requests; let running ones end'),
  nodeRoute('resume', 'Take requests again'),
  nodeRoute('restart', 'Drain, stop and start the engine again'),
  ...steeringRoutes,
  {
    method: 'POST',
    path: '/v1/stop',
    summary: 'Drain and stop the balancer; body {drainMs?, force?, leaveEngines?}',
    handle(actions, request) {
      actions.stop(stopRequestOf(request.body))
      return { json: { stopping: true } }
    },
  },
]

function nodeRoute(verb: NodeVerb, summary: string): ControlRoute {
  return {
    method: 'POST',
    path: `/v1/nodes/{pool}/{node}/${verb}`,
    summary,
    async handle(actions, request) {
      const id = `${request.params['pool'] ?? ''}/${request.params['node'] ?? ''}`
      await actions[verb](id)
      return { json: { node: id, done: verb } }
    },
  }
}

function lifted(actions: ControlActions, fingerprint: string): object {
  if (actions.lift(fingerprint)) return { fingerprint, done: 'lift' }
  throw new LbError(`nothing in quarantine has the fingerprint ${JSON.stringify(fingerprint.slice(0, 100))}`, {
    code: 'LB_NOT_IN_QUARANTINE',
    source: 'operator',
    httpStatus: 404,
    hint: '`lb quarantine list` shows what there is; its time may be over',
  })
}

function whyOf(actions: ControlActions, id: string): WhyJson {
  const why = actions.why(id)
  if (why !== undefined) return whyJson(why)
  throw new LbError(`no request ${JSON.stringify(id.slice(0, 200))} is remembered`, {
    code: 'LB_UNKNOWN_REQUEST',
    source: 'operator',
    httpStatus: 404,
    hint: 'the id is the x-request-id of the answer; the newest 1,000 requests and 1,000 traced ones are remembered',
  })
}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit') ?? '100'
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw badInput(`limit must be a whole number from 1 to 1000, not \`${text}\``)
  return limit
}

function stopRequestOf(body: unknown): StopRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw badInput('the body must be a JSON object')
  const { drainMs, force, leaveEngines } = body as Record<string, unknown>
  if (drainMs !== undefined && !(typeof drainMs === 'number' && drainMs >= 0)) throw badInput('drainMs must be a number, at least 0')
  for (const flag of [force, leaveEngines]) {
    if (flag !== undefined && typeof flag !== 'boolean') throw badInput('force and leaveEngines must be true or false')
  }
  return {
    ...(drainMs === undefined ? {} : { drainMs }),
    ...(force === true ? { force: true } : {}),
    ...(leaveEngines === true ? { leaveEngines: true } : {}),
  }
}

function badInput(message: string): LbError {
  return new LbError(message, { code: 'LB_BAD_CONTROL_REQUEST', source: 'operator', httpStatus: 400 })
}
