import type { CollectedShape, Dialect, Face, RosterNode } from '../contracts/index.js'
import { bodyFields } from '../dialects/index.js'
import type { Admitted } from './admit.js'
import type { ProxyContext } from './proxy-context.js'

/** Faces whose streams brought what is not known of this engine's answers (a model that thinks aloud, say); for the life of the node. */
const forgone = new WeakMap<Dialect, Set<Face>>()

/** How the plain answer to this request is collected from a stream; undefined where it is not. */
export function collectedShapeFor({ scan, face }: Admitted, { dialect }: RosterNode): CollectedShape | undefined {
  if (dialect.collect === undefined || scan.stream || scan.delimiter !== undefined) return undefined
  const shape = dialect.collect[face]
  if (shape === undefined || forgone.get(dialect)?.has(face) === true) return undefined
  return shape.fits(bodyFields(scan)) ? shape : undefined
}

/** The node's answers of this face are not what its dialect says: from now on its requests are sent as they came. */
export function forgoCollecting(
  context: ProxyContext,
  { face, requestId }: Admitted,
  { node, why }: { node: RosterNode; why: string },
): void {
  const faces = forgone.get(node.dialect) ?? new Set()
  forgone.set(node.dialect, faces.add(face))
  context.log.warn('collect.forgone', { request: requestId, node: node.id, face, reason: why })
}

/** Whether this engine notices late that the client of an attempt has left: it was sent, and no answer has begun. */
export function isLate({ dialect }: RosterNode, face: Face, { isSent, status }: { isSent: boolean; status: number | undefined }): boolean {
  return dialect.collect?.[face] !== undefined && isSent && status === undefined
}
