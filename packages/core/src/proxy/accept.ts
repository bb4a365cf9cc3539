import { scanRequest, type RequestScan } from '../dialects/index.js'
import type { Entered, ProxyContext } from './proxy-context.js'

/** A request whose body is read, once and whole. */
export interface Accepted extends Entered {
  readonly scan: RequestScan
  /** Gives the memory of the body back. */
  readonly releaseBody: () => void
}

/** Reads and scans the body within its limits; at once where it has arrived. Throws what the client did wrong. */
export function accept(context: ProxyContext, request: Entered): Accepted | Promise<Accepted> {
  const { maxBodyBytes, maxBodiesBytes } = context.limits()
  const body = request.exchange.readBody(maxBodyBytes)
  return body instanceof Promise
    ? body.then((bytes) => scanned(context, request, bytes, maxBodiesBytes))
    : scanned(context, request, body, maxBodiesBytes)
}

function scanned(context: ProxyContext, request: Entered, body: Uint8Array, maxBodiesBytes: number): Accepted {
  const releaseBody = context.bodies.take(body.byteLength, maxBodiesBytes)
  try {
    const scan = scanRequest(request.face, body)
    if (scan.stream) request.delivery.startHeartbeats()
    const { exchange, face, requestId, delivery, arrivedAtMs, arrivedMs } = request
    return { exchange, face, requestId, delivery, arrivedAtMs, arrivedMs, scan, releaseBody }
  } catch (error) {
    releaseBody()
    throw error
  }
}
