import { isIP } from 'node:net'
import { isAbsolute, resolve } from 'node:path'
import type { ListenAddress } from './topology.js'

/** `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; undefined where it is none of them. */
export function parseListen(text: string, baseDir: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) return text.length > 5 ? { kind: 'unix', path: resolve(baseDir, text.slice(5)) } : undefined
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || port > 65_535) return undefined
  if (match?.[1] !== undefined && isIP(host) !== 6) return undefined
  return { kind: 'tcp', host, port }
}

export function formatListen(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** True where only this machine can connect. A name other than localhost may point anywhere, so it counts as reachable. */
export function isLoopback(address: ListenAddress): boolean {
  if (address.kind === 'unix') return true
  const host = address.host.toLowerCase()
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}

/** An address, a network in CIDR form, or the word for whoever connects through a unix socket. */
export function isProxyEntry(text: string): boolean {
  if (text === 'unix') return true
  const match = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text)
  const family = isIP(match?.[1] ?? '')
  return family !== 0 && Number(match?.[2] ?? 0) <= (family === 4 ? 32 : 128)
}

/** The origin as a browser writes it (lower case, no default port, no path); undefined where the text is none. `null` is the origin of anybody's sandbox. */
export function serializedOrigin(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\]+\/?$/i.test(text) || !URL.canParse(text)) return undefined
  const { origin, protocol, host, hostname } = new URL(text)
  if (hostname.includes('*')) return undefined
  return origin === 'null' ? `${protocol}//${host}` : origin
}

/** The URL form of a server behind a unix socket: the path is the host, percent-encoded. */
function unixUrl(path: string): string {
  return `http+unix://${encodeURIComponent(path)}`
}

export type AttachUrl =
  | { readonly url: string }
  | { readonly message: string; readonly expected?: string; readonly hint?: string; readonly secret?: boolean }

/** The base URL of an attached server without its trailing slash, or what is wrong with it. */
export function parseAttach(text: string): AttachUrl {
  const example = 'a URL such as http://127.0.0.1:8000, or unix:/path'
  const socketPath = text.startsWith('unix:') ? text.slice('unix:'.length) : undefined
  if (socketPath !== undefined) {
    return isAbsolute(socketPath) ? { url: unixUrl(socketPath) } : { message: `\`${text}\` is not an absolute path`, expected: example }
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return { message: `${text.includes('@') ? 'this' : `\`${text}\``} is not a URL`, expected: example }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { message: `\`${url.protocol}//\` is not spoken here`, expected: 'http:// or https://' }
  if (url.username !== '' || url.password !== '') {
    return {
      message: 'the URL holds credentials; secrets never stand in the file',
      hint: 'use apiKey: { env: NAME }',
      expected: example,
      secret: true,
    }
  }
  if (url.search !== '' || url.hash !== '') return { message: 'the URL holds a query or a fragment', expected: example }
  return { url: `${url.origin}${url.pathname}`.replace(/\/+$/, '') }
}
