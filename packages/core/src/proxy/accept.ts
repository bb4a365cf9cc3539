import { RequestScanner, type RequestScan } from '../dialects/index.js'
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
  const scanner = new RequestScanner(request.face, request.exchange.head.headers['content-type'])
  const body = request.exchange.readBody(maxBodyBytes, scanner.push)
  const whole = (bytes: Uint8Array): Accepted => scanned(context, request, { bytes, scanner, maxBodiesBytes })
  return body instanceof Promise ? body.then(whole) : whole(body)
}

interface Read {
  readonly bytes: Uint8Array
  readonly scanner: RequestScanner
  readonly maxBodiesBytes: number
}

function scanned(context: ProxyContext, request: Entered, { bytes, scanner, maxBodiesBytes }: Read): Accepted {
  const releaseBody = context.bodies.take(bytes.byteLength, maxBodiesBytes)
  try {
    const scan = scanner.finish(bytes)
    if (scan.stream) request.delivery.startHeartbeats()
    const { exchange, face, requestId, delivery, arrivedAtMs, arrivedMs } = request
    return { exchange, face, requestId, delivery, arrivedAtMs, arrivedMs, scan, releaseBody }
  } catch (error) {
    releaseBody()
    throw error
  }
}
