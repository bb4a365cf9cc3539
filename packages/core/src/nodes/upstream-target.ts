import { isIP } from 'node:net'
import type { UpstreamTarget } from '../contracts/index.js'

/** Where a base URL points to. The URL was checked by the topology. */
export function upstreamTarget(url: string): UpstreamTarget {
  const parsed = new URL(url)
  const tls = parsed.protocol === 'https:'
  const bare = parsed.hostname.replace(/^\[|\]$/g, '')
  return {
    host: isIP(bare) === 6 ? bare : parsed.hostname,
    port: parsed.port === '' ? (tls ? 443 : 80) : Number(parsed.port),
    tls,
    basePath: parsed.pathname.replace(/\/+$/, ''),
    authority: parsed.host,
  }
}
