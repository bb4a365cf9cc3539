import { isIP } from 'node:net'
import type { UpstreamTarget } from '../contracts/index.js'

/** Where a base URL points to: `http:`, `https:`, or `http+unix:` with the socket's path, percent-encoded, as its host. The URL was checked by the topology. */
export function upstreamTarget(url: string): UpstreamTarget {
  const parsed = new URL(url)
  const basePath = parsed.pathname.replace(/\/+$/, '')
  if (parsed.protocol === 'http+unix:')
    return { host: 'localhost', port: 0, tls: false, socketPath: decodeURIComponent(parsed.hostname), basePath, authority: 'localhost' }
  const tls = parsed.protocol === 'https:'
  const bare = parsed.hostname.replace(/^\[|\]$/g, '')
  return {
    host: isIP(bare) === 6 ? bare : parsed.hostname,
    port: parsed.port === '' ? (tls ? 443 : 80) : Number(parsed.port),
    tls,
    basePath,
    authority: parsed.host,
  }
}
