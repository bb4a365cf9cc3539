/** Runs serve.ts as a child on duplicates of one listening socket, beside an engine that notes which thread asked. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttp, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcp, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { BalancerStatus } from '@plimsoll/core'

const FIRST_FD = 4
const answer = JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }] })

/** Holds a request whose text has "hold", kills the asking thread for one with "die", answers every other. */
export class NotingEngine {
  /** Thread by text of the request. */
  readonly askedBy = new Map<string, string>()
  private readonly held: ServerResponse[] = []
  private readonly server: Server = createHttp((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => this.answer(body, String(request.headers['x-thread']), response))
  })

  async open(): Promise<string> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  release(): void {
    for (const response of this.held.splice(0)) response.end(answer)
  }

  threadsOf(texts: readonly string[]): Set<string> {
    return new Set(texts.flatMap((text) => this.askedBy.get(text) ?? []))
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  private answer(body: string, thread: string, response: ServerResponse): void {
    const { messages } = JSON.parse(body) as { messages: { content: string }[] }
    const text = messages[0]?.content ?? ''
    this.askedBy.set(text, thread)
    response.on('error', () => undefined)
    if (text.includes('hold')) this.held.push(response)
    else response.writeHead(text.includes('die') ? 599 : 200, { 'content-type': 'application/json' }).end(answer)
  }
}

export type Said =
  | { readonly type: 'listening' | 'broken' | 'reloaded' }
  | { readonly type: 'failed'; readonly code?: string; readonly message: string; readonly threads: number }
  | { readonly type: 'status'; readonly status: BalancerStatus }
  | { readonly type: 'log'; readonly event: string; readonly facts: Record<string, unknown> }

export interface ServeOptions {
  readonly engineUrl: string
  /** Duplicates of the socket. */
  readonly copies: number
  readonly engineModule?: string
  readonly maxConnections?: number
  readonly startWithinMs?: number
  readonly env?: Record<string, string>
}

/** The child, and all that it has said. */
export class ThreadedProcess {
  readonly said: Said[] = []

  constructor(
    readonly url: string,
    readonly child: ChildProcess,
  ) {
    child.on('message', (message: Said) => this.said.push(message))
  }

  heard(type: Said['type']): boolean {
    return this.said.some((each) => each.type === type)
  }

  /** How often the child has logged this. */
  logged(event: string): number {
    return this.said.filter((each) => each.type === 'log' && each.event === event).length
  }

  async status(): Promise<BalancerStatus> {
    const from = this.said.length
    this.child.send('status')
    for (;;) {
      const found = this.said.slice(from).find((each) => each.type === 'status')
      if (found !== undefined) return found.status
      await once(this.child, 'message')
    }
  }

  async inFlight(): Promise<number> {
    return (await this.status()).pools[0]?.inFlight ?? -1
  }

  /** Resolves with the exit code. */
  async close(): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode
    const ended = once(this.child, 'exit') as Promise<[number | null]>
    if (this.child.connected) this.child.send('close')
    return (await ended)[0]
  }
}

const fileUrl = (name: string): string => new URL(`./${name}`, import.meta.url).href

/** Opens the socket here, hands its duplicates down and closes its own. */
export async function serveThreads(options: ServeOptions): Promise<ThreadedProcess> {
  const server = createTcp()
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
  await once(server, 'listening')
  // oxlint-disable-next-line no-underscore-dangle -- it has no other name
  const fd = (server as unknown as { _handle: { fd: number } })._handle.fd
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { engineUrl, copies, engineModule = 'fragile-engine.ts', maxConnections = 1_000, startWithinMs = 20_000 } = options
  const fds = Array.from({ length: copies }, (_, copy) => FIRST_FD + copy)
  const task = JSON.stringify({ fds, url, engineUrl, engineModule: fileUrl(engineModule), maxConnections, startWithinMs })
  const child = spawn(process.execPath, [fileURLToPath(fileUrl('serve.ts')), task], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...fds.map(() => fd)],
    env: { ...process.env, ...options.env },
  })
  server.close()
  return new ThreadedProcess(url, child)
}
