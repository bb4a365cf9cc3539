import { isIP } from 'node:net'
import { resolve } from 'node:path'

/** Most members of one source; more are left out, and the source says so. */
export const MAX_MEMBERS = 1024

/** Where the members of a node group are told while the balancer runs. `from` is the source as the file names it. */
export type AttachSource = DnsSource | SrvSource | FileSource | KubernetesSource

export interface DnsSource extends Asked {
  readonly kind: 'dns'
  readonly host: string
  readonly port: number
}

export interface SrvSource extends Asked {
  readonly kind: 'srv'
  readonly name: string
}

interface Asked {
  readonly from: string
  /** Absent: as long as the answer may be kept, at most 30 s. */
  readonly everyMs?: number
  /** `IP:PORT` of a DNS server; absent: the system's. */
  readonly resolver?: string
}

export interface FileSource {
  readonly kind: 'file'
  readonly from: string
  /** Absolute. */
  readonly path: string
  /** How often it is looked at; absent: every second. */
  readonly everyMs?: number
}

export interface KubernetesSource {
  readonly kind: 'kubernetes'
  readonly from: string
  readonly namespace: string
  readonly service: string
  /** Name or number of a port of the pods; absent: the one named `http`, or the first. */
  readonly port?: string
  /** Base URL of the API server; absent: that of the kubeconfig, or of the cluster that this runs in. */
  readonly server?: string
  /** Absolute. Read anew for each request. */
  readonly tokenFile?: string
  /** Absolute. Read anew for each connection. */
  readonly caFile?: string
  /** Absolute. */
  readonly kubeconfig?: string
}

/** A source in its long form, as the file has it. */
export interface AttachSourceInput {
  readonly from: string
  readonly every?: string
  readonly resolver?: string
  readonly server?: string
  readonly tokenFile?: string
  readonly caFile?: string
  readonly kubeconfig?: string
}

export type ParsedSource = { readonly source: AttachSource } | { readonly message: string; readonly expected: string }

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
const HOST = new RegExp(`^(?=.{1,253}\\.?$)${LABEL}(?:\\.${LABEL})*\\.?$`)
const KUBERNETES = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?::([a-z0-9-]{1,15}|[0-9]{1,5}))?$/

/** Whether a text names a source and not a server. */
export function isSourceText(text: string): boolean {
  return /^(dns|srv|file|kubernetes):(?!\/\/)/.test(text)
}

/** `dns:HOST:PORT`, `srv:NAME`, `file:PATH` or `kubernetes:NAMESPACE/SERVICE[:PORT]`, or what is wrong with it. */
export function parseSource(text: string, baseDir: string): ParsedSource {
  const colon = text.indexOf(':')
  const rest = text.slice(colon + 1)
  const kind = text.slice(0, colon)
  if (kind === 'dns') return dnsSource(text, rest)
  if (kind === 'srv') {
    if (!HOST.test(rest)) return { message: `\`${text}\` is no name of SRV records`, expected: 'srv:_http._tcp.models.internal' }
    return { source: { kind, from: text, name: rest } }
  }
  if (kind === 'file') {
    if (rest === '') return { message: 'the file has no name', expected: 'file:./members.json' }
    const path = resolve(baseDir, rest)
    return { source: { kind, from: `file:${path}`, path } }
  }
  const match = KUBERNETES.exec(rest)
  const [, namespace = '', service = '', port] = match ?? []
  if (match === null || (port !== undefined && /^[0-9]+$/.test(port) && !isPort(Number(port))))
    return {
      message: `\`${text}\` is no service of Kubernetes`,
      expected: 'kubernetes:NAMESPACE/SERVICE, or with :PORT (a name or a number) behind it',
    }
  return { source: { kind: 'kubernetes', from: text, namespace, service, ...(port === undefined ? {} : { port }) } }
}

function dnsSource(text: string, rest: string): ParsedSource {
  const match = /^(.+):([0-9]{1,5})$/.exec(rest)
  const [, host = '', digits = '0'] = match ?? []
  const port = Number(digits)
  if (isIP(host) !== 0) return { message: `\`${host}\` is an address, not a name`, expected: `a URL: http://${host}:${digits}` }
  if (!HOST.test(host) || !isPort(port)) return { message: `\`${text}\` is no name with a port`, expected: 'dns:models.internal:8000' }
  return { source: { kind: 'dns', from: text, host, port } }
}

/** `IP`, `IP:PORT` or `[IP]:PORT`, with the port filled in; undefined where it is none. */
export function parseResolver(text: string): string | undefined {
  if (isIP(text) === 4) return `${text}:53`
  if (isIP(text) === 6) return `[${text}]:53`
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text)
  const address = match?.[1] ?? match?.[2] ?? ''
  return isIP(address) !== 0 && isPort(Number(match?.[3])) ? text : undefined
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}
