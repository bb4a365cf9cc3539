import type { Face, HeaderView, RosterNode } from '../contracts/index.js'
import { spliceBody } from '../dialects/index.js'
import { allowedRequestLines, type UpstreamRequest } from '../wire/index.js'
import type { Admitted } from './admit.js'

export interface OrderChanges {
  /** Other than the client's own with its edits. */
  readonly body?: readonly Buffer[] | undefined
  /** Other than the client's. */
  readonly face?: Face
  /** Other than that of the face. */
  readonly path?: string
}

/** What is sent to a node. */
export function orderFor(request: Admitted, node: RosterNode, changes: OrderChanges = {}) {
  return { key: node.connectionKey, target: node.target, request: upstreamRequest(request, node, changes), timeouts: request.pool.timeouts }
}

function upstreamRequest(request: Admitted, node: RosterNode, { body, face = request.face, path }: OrderChanges): UpstreamRequest {
  const { exchange, scan, requestId } = request
  const { shared, stripped, namesRequest } = ownHeaders(node, scan.contentType)
  const lines = allowedRequestLines(exchange.head.headers, stripped)
  return {
    method: 'POST',
    path: `${node.target.basePath}${path ?? node.dialect.paths[face] ?? ''}`,
    shared,
    // Ids are harmless in headers: request-id.ts.
    lines: namesRequest ? lines : `x-request-id: ${requestId}\r\n${lines}`,
    body: body ?? spliceBody(scan, node.model, scan.stream),
  }
}

/** What every request to a node says. */
interface OwnHeaders {
  readonly contentType: string
  readonly shared: HeaderView
  /** Client headers that must not reach it: by its rules, or because it is sent one of its own. */
  readonly stripped: readonly string[]
  /** It is sent an id of its own making. */
  readonly namesRequest: boolean
}

const known = new WeakMap<RosterNode, OwnHeaders>()

/** JSON is called so whatever the client called it: curl -d says that it is a form. */
function ownHeaders(node: RosterNode, contentType: string): OwnHeaders {
  const before = known.get(node)
  if (before?.contentType === contentType) return before
  const { strip = [], set = {} } = node.dialect.headers
  const shared: Record<string, string> = { 'content-type': contentType, ...set, ...node.authHeaders }
  const stripped = ['x-request-id', ...strip, ...Object.keys(shared)]
  const own = { contentType, shared, stripped, namesRequest: shared['x-request-id'] !== undefined }
  known.set(node, own)
  return own
}
