import { RequestScanner, type RequestScan } from '../dialects/index.js'
import type { Entered, ProxyContext } from './proxy-context.js'

/** A request whose body is read, once and whole. */
export interface Accepted extends Entered {
  readonly scan: RequestScan
}

/** Reads and scans the body within its limits, as it arrives; at once where it is there. Throws what the client did wrong. */
export function accept(context: ProxyContext, request: Entered): Accepted | Promise<Accepted> {
  const { maxBodyBytes } = context.limits()
  const { exchange, share } = request
  const scanner = new RequestScanner(request.face, exchange.head.headers['content-type'])
  const watch = (bytes: Uint8Array): void => {
    share.grow(bytes.byteLength)
    scanner.push(bytes)
  }
  const body = exchange.readBody(maxBodyBytes, watch)
  return body instanceof Promise ? body.then((bytes) => accepted(request, scanner.finish(bytes))) : accepted(request, scanner.finish(body))
}

function accepted(request: Entered, scan: RequestScan): Accepted {
  if (scan.stream) request.delivery.startHeartbeats()
  const { exchange, face, requestId, client, delivery, share, arrivedAtMs, arrivedMs } = request
  return { exchange, face, requestId, client, delivery, share, arrivedAtMs, arrivedMs, scan }
}
