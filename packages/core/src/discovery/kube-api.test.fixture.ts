import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { EndpointSlice } from './endpoint-slices.js'

export interface ScriptedKubeApiOptions {
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Asked of every request. */
  readonly token?: string
}

/** The part of a Kubernetes API server that lists and watches the EndpointSlices of one service. */
export class ScriptedKubeApi {
  /** `list` or `watch` with its version, of each request that was served; refused ones as their status. */
  readonly asked: string[] = []
  url = ''
  /** Answers everything with this status instead. */
  refusing: number | undefined
  token: string | undefined
  /** Slices in one page of a list. */
  page = 500
  private version = 100
  private readonly slices = new Map<string, EndpointSlice>()
  private readonly watches = new Set<ServerResponse>()
  private readonly server: Server

  constructor({ tls, token }: ScriptedKubeApiOptions = {}) {
    const take = (request: IncomingMessage, response: ServerResponse): void => this.take(request, response)
    this.server = tls === undefined ? createServer(take) : createTlsServer(tls, take)
    this.token = token
    this.url = tls === undefined ? 'http' : 'https'
  }

  async open(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve))
    this.url = `${this.url}://127.0.0.1:${(this.server.address() as AddressInfo).port}`
    return this
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  /** A slice with one ready endpoint for each `address[:port]`; the first port counts for all. */
  put(name: string, addresses: readonly string[], port = 8000): void {
    this.putSlice(name, {
      addressType: 'IPv4',
      ports: [{ name: 'http', port }],
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    })
  }

  putSlice(name: string, slice: EndpointSlice): void {
    const type = this.slices.has(name) ? 'MODIFIED' : 'ADDED'
    this.version += 1
    const whole = { ...slice, metadata: { name, resourceVersion: String(this.version) } }
    this.slices.set(name, whole)
    this.say({ type, object: whole })
  }

  remove(name: string): void {
    const slice = this.slices.get(name)
    this.slices.delete(name)
    this.version += 1
    this.say({ type: 'DELETED', object: { ...slice, metadata: { name, resourceVersion: String(this.version) } } })
  }

  bookmark(): void {
    this.version += 1
    this.say({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.version) } } })
  }

  /** Says something to every watch, in pieces. */
  say(event: object): void {
    const line = `${JSON.stringify(event)}\n`
    for (const watch of this.watches) {
      watch.write(line.slice(0, 20))
      watch.write(line.slice(20))
    }
  }

  sayRaw(text: string): void {
    for (const watch of this.watches) watch.write(text)
  }

  /** Ends every watch: as told, or by breaking the connection. */
  endWatches(how: 'end' | 'break' = 'end'): void {
    for (const watch of this.watches) {
      if (how === 'end') watch.end()
      else watch.destroy()
    }
  }

  get watching(): number {
    return this.watches.size
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://api')
    const status = this.statusFor(request, url)
    if (status !== 200) {
      this.asked.push(String(status))
      return void response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ kind: 'Status', message: 'so it is scripted', code: status }))
    }
    if (url.searchParams.get('watch') !== '1') return this.list(url, response)
    this.asked.push(`watch ${url.searchParams.get('resourceVersion') ?? ''}`)
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    this.watches.add(response)
    response.on('close', () => this.watches.delete(response))
  }

  private statusFor({ headers }: IncomingMessage, { pathname, searchParams }: URL): number {
    if (this.refusing !== undefined) return this.refusing
    if (this.token !== undefined && headers.authorization !== `Bearer ${this.token}`) return 401
    const known = pathname === '/apis/discovery.k8s.io/v1/namespaces/ml/endpointslices'
    return known && searchParams.get('labelSelector') === 'kubernetes.io/service-name=vllm' ? 200 : 404
  }

  private list(url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get('continue') ?? 0)
    const items = [...this.slices.values()]
    const next = from + this.page < items.length ? String(from + this.page) : ''
    this.asked.push('list')
    response.end(
      JSON.stringify({
        kind: 'EndpointSliceList',
        metadata: { resourceVersion: String(this.version), continue: next },
        items: items.slice(from, from + this.page),
      }),
    )
  }
}
