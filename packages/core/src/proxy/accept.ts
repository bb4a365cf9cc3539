import { RequestScanner, type RequestScan } from '../dialects/index.js'
import type { Entered, ProxyContext } from './proxy-context.js'

/** Reads and scans the body within its limits, once and whole, as it arrives; at once where it is there. Throws what the client did wrong. */
export function accept(context: ProxyContext, { exchange, face, share }: Entered): RequestScan | Promise<RequestScan> {
  const { maxBodyBytes } = context.limits()
  const scanner = new RequestScanner(face, exchange.head.headers['content-type'])
  const body = exchange.readBody(maxBodyBytes, (bytes) => {
    share.grow(bytes.byteLength)
    scanner.push(bytes)
  })
  return body instanceof Promise ? body.then((bytes) => scanner.finish(bytes)) : scanner.finish(body)
}
