import { connect } from 'node:net'
import {
  LbError,
  messageOf,
  type BalancerEvent,
  type BalancerStatus,
  type NodeModels,
  type QuarantinedStatus,
  type WhyJson,
} from '@plimsoll/core/client'
import type { Problem } from '@plimsoll/core'
import type { Got, Response } from 'got'
import type { LiveClient } from '../live/index.js'
import { steeringClient, type ControlCall as Call, type SteeringClient } from './steering-client.js'

/** Whoever talks to a balancer talks through this: got over its control socket. */
export interface ControlClient extends LiveClient, SteeringClient {
  /** `fresh`: waits a little for new figures of the GPUs. */
  status(options?: { readonly fresh?: boolean }): Promise<BalancerStatus>
  /** What each node serves, asked of the engines now. */
  models(): Promise<readonly NodeModels[]>
  /** Requests that are refused because engines crashed on them. */
  quarantine(): Promise<readonly QuarantinedStatus[]>
  /** Lets one of them through again. */
  liftQuarantine(fingerprint: string): Promise<void>
  /** How a request found its node. */
  why(requestId: string): Promise<WhyJson>
}

export interface ControlClientOptions {
  readonly socketPath: string
  /** False where the balancer's files are on another machine. */
  readonly filesAreHere?: boolean
  /** Makes the error for a socket that nobody serves; default: LB_NOT_RUNNING. */
  readonly onSilence?: () => Promise<LbError>
}

const ANSWER_WITHIN_MS = 10_000

export function createControlClient(options: ControlClientOptions): ControlClient {
  let last: BalancerStatus | undefined
  const call: Call = (method, path, { body, withinMs = ANSWER_WITHIN_MS } = {}) => exchange(options, { method, path, body, withinMs })
  const act = async (nodeId: string, verb: string): Promise<void> => void (await call('POST', `/v1/nodes/${pathOf(nodeId)}/${verb}`))
  return {
    ...steeringClient(call),
    async status({ fresh = false } = {}) {
      last = (await call('GET', fresh ? '/v1/status?fresh=1' : '/v1/status')) as BalancerStatus
      return last
    },
    models: async () => ((await call('GET', '/v1/models')) as { nodes: readonly NodeModels[] }).nodes,
    quarantine: async () => ((await call('GET', '/v1/quarantine')) as { bodies: readonly QuarantinedStatus[] }).bodies,
    liftQuarantine: async (fingerprint) => void (await call('POST', `/v1/quarantine/${encodeURIComponent(fingerprint)}/lift`)),
    why: async (id) => (await call('GET', `/v1/requests/${encodeURIComponent(id)}/why`)) as WhyJson,
    traced: async (limit) => ((await call('GET', `/v1/decisions?limit=${limit}`)) as { traced: readonly WhyJson[] }).traced,
    events: (onEvent, signal) => followEvents(options, onEvent, signal),
    drain: (nodeId) => act(nodeId, 'drain'),
    resume: (nodeId) => act(nodeId, 'resume'),
    restart: (nodeId) => act(nodeId, 'restart'),
    stop: async (request) => void (await call('POST', '/v1/stop', { body: request })),
    logPath(nodeId) {
      if (options.filesAreHere === false) return undefined
      return last?.pools.flatMap((pool) => pool.nodes).find((node) => node.id === nodeId)?.logPath ?? undefined
    },
  }
}

function pathOf(nodeId: string): string {
  return nodeId.split('/').map(encodeURIComponent).join('/')
}

interface ControlCall {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body: object | undefined
  readonly withinMs: number
}

async function exchange(options: ControlClientOptions, { method, path, body, withinMs }: ControlCall): Promise<unknown> {
  const got = await gotOver(options.socketPath)
  let response: Response<string>
  try {
    response = await got(`http://control${path}`, {
      method,
      timeout: { response: withinMs },
      ...(body === undefined ? {} : { json: body }),
    })
  } catch (error) {
    throw await failure(options, error, withinMs)
  }
  const answer = parse(response.body)
  if (response.statusCode < 400) return answer
  throw await refusal(response.statusCode, answer)
}

/** `createConnection` instead of a `unix:` URL: a socket path may hold what a URL may not. */
async function gotOver(socketPath: string): Promise<Got> {
  const { default: got } = await import('got')
  return got.extend({
    createConnection: () => connect(socketPath),
    retry: { limit: 0 },
    throwHttpErrors: false,
    timeout: { response: ANSWER_WITHIN_MS },
    followRedirect: false,
  })
}

async function followEvents(options: ControlClientOptions, onEvent: (event: BalancerEvent) => void, signal: AbortSignal): Promise<void> {
  const got = await gotOver(options.socketPath)
  let rest = ''
  try {
    for await (const part of got.stream('http://control/v1/events', { signal }).setEncoding('utf8') as AsyncIterable<string>) {
      const lines = `${rest}${part}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onEvent(JSON.parse(line) as BalancerEvent)
    }
  } catch (error) {
    if (!signal.aborted) throw await failure(options, error)
  }
}

async function failure(options: ControlClientOptions, error: unknown, withinMs = ANSWER_WITHIN_MS): Promise<LbError> {
  const code = (error as { code?: unknown }).code
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return (await options.onSilence?.()) ?? silence()
  const message = code === 'ETIMEDOUT' ? `no answer within ${withinMs / 1000} s` : messageOf(error)
  return new LbError(`the balancer did not answer: ${message}`, {
    code: 'LB_NO_ANSWER',
    source: 'lb',
    retry: 'after-wait',
    hint: 'ask again; `lb down --force` ends a balancer that hangs',
    cause: error,
  })
}

function silence(): LbError {
  return new LbError('no balancer listens there', {
    code: 'LB_NOT_RUNNING',
    source: 'operator',
    retry: 'after-wait',
    hint: 'lb up starts one',
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A topology that would be wrong comes with all its mistakes, shown as those of a file are. */
async function refusal(status: number, answer: unknown): Promise<LbError> {
  const { code, message, hint, problems } = ((answer as { error?: unknown } | undefined)?.error ?? {}) as Record<string, unknown>
  if (code === 'LB_TOPOLOGY_INVALID' && Array.isArray(problems)) {
    const { TopologyErrors } = await import('@plimsoll/core')
    return new TopologyErrors(problems as Problem[], undefined)
  }
  return new LbError(typeof message === 'string' ? message : `control answered ${status}`, {
    code: typeof code === 'string' ? code : 'LB_CONTROL_FAILED',
    source: 'operator',
    httpStatus: status,
    ...(typeof hint === 'string' ? { hint } : {}),
  })
}
