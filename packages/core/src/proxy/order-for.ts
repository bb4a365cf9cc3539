import type { Face, RosterNode } from '../contracts/index.js'
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
  const { headers: rules, paths } = node.dialect
  // JSON is called so whatever the client called it: curl -d says that it is a form.
  const headers = { 'content-type': scan.contentType, 'x-request-id': requestId, ...rules.set, ...node.authHeaders }
  return {
    method: 'POST',
    path: `${node.target.basePath}${path ?? paths[face] ?? ''}`,
    headers,
    lines: allowedRequestLines(exchange.head.headers, strippedBy(node)),
    body: body ?? spliceBody(scan, node.model, scan.stream),
  }
}

const stripped = new WeakMap<RosterNode, readonly string[]>()

/** Client headers that must not reach this node: by its rules, or because it is sent one of its own. */
function strippedBy(node: RosterNode): readonly string[] {
  let names = stripped.get(node)
  if (names === undefined) {
    const { strip = [], set = {} } = node.dialect.headers
    stripped.set(node, (names = ['content-type', 'x-request-id', ...strip, ...Object.keys(set), ...Object.keys(node.authHeaders)]))
  }
  return names
}
