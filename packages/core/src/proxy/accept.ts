import { scanRequest, type RequestScan } from '../dialects/index.js'
import type { ProxyContext, ProxyRequest } from './proxy-context.js'

/** A request whose body is read, once and whole. */
export interface Accepted extends ProxyRequest {
  readonly scan: RequestScan
  /** Gives the memory of the body back. */
  readonly releaseBody: () => void
}

/** Reads and scans the body within its limits. Throws what the client did wrong. */
export async function accept(context: ProxyContext, request: ProxyRequest): Promise<Accepted> {
  const { maxBodyBytes, maxBodiesBytes } = context.limits()
  const body = await request.exchange.readBody(maxBodyBytes)
  const releaseBody = context.bodies.take(body.byteLength, maxBodiesBytes)
  try {
    return { ...request, scan: scanRequest(request.face, body), releaseBody }
  } catch (error) {
    releaseBody()
    throw error
  }
}
