import { asOrdinary, leanHttp, leanHttps } from '../base/index.js'
import type { CommandResult, HostResponse, Logger, PluginHost, RequestOptions } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { IncomingMessage } from 'node:http'

const MAX_ANSWER_BYTES = 4 * 1024 * 1024
const MAX_OUTPUT_BYTES = 1024 * 1024
const MAX_LINE_BYTES = 1024 * 1024
const SHOWN_OF_ERROR_BYTES = 2048

interface Call extends RequestOptions {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly body?: unknown
}

/** What a plugin may use of its host: the log, requests that cannot hold memory or wander off, and commands that cannot outlive their question. */
export function createPluginHost(log: Logger): PluginHost {
  return {
    log,
    get: (url, options) => whole(url, { ...options, method: 'GET' }),
    send: (method, url, options) => whole(url, { ...options, method }),
    lines: (url, options) => lines(url, { ...options, method: 'POST' }),
    run,
  }
}

/** Resolves with the head of the answer. Follows no redirects. */
function call(url: string, { method, body, signal, headers }: Call): Promise<IncomingMessage> {
  const parsed = new URL(url)
  const { request } = parsed.protocol === 'https:' ? leanHttps() : leanHttp
  const unix = parsed.protocol === 'http+unix:'
  const socket = unix ? { socketPath: decodeURIComponent(parsed.hostname) } : {}
  const target = unix ? new URL(`http://localhost${parsed.pathname}${parsed.search}`) : parsed
  const text = body === undefined ? undefined : JSON.stringify(body)
  const typed = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }
  return new Promise((resolve, reject) => {
    // Without an agent: a probe's socket must not be one that the engine is about to close.
    const sent = request(
      target,
      { ...socket, method, agent: false, signal, headers: { accept: 'application/json', ...typed, ...headers } },
      resolve,
    )
    sent.on('error', reject).end(text)
  })
}

async function whole(url: string, options: Call): Promise<HostResponse> {
  const answer = await call(url, options)
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.byteLength
    // Leaving the loop destroys the answer and its socket.
    if (bytes > MAX_ANSWER_BYTES) throw tooLong(url, 'the answer', '4 MiB')
    parts.push(part)
  }
  return { status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }
}

async function* lines(url: string, options: Call): AsyncGenerator<string> {
  const answer = await call(url, options)
  const status = answer.statusCode ?? 0
  let rest = ''
  answer.setEncoding('utf8')
  for await (const part of answer as AsyncIterable<string>) {
    rest += part
    if (status > 299) {
      if (rest.length > SHOWN_OF_ERROR_BYTES) break
      continue
    }
    const parted = rest.split('\n')
    rest = parted.pop() ?? ''
    if (rest.length > MAX_LINE_BYTES) throw tooLong(url, 'a line', '1 MiB')
    for (const line of parted) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  if (status > 299) {
    const said = rest.slice(0, SHOWN_OF_ERROR_BYTES)
    throw new LbError(`${new URL(url).host} answered ${status}: ${said}`, { code: 'LB_ENGINE_REFUSED', source: 'engine' })
  }
  if (rest !== '') yield rest
}

async function run(command: string, args: readonly string[], { signal }: { readonly signal: AbortSignal }): Promise<CommandResult> {
  const { execa } = await import('execa')
  const options = {
    reject: false,
    cancelSignal: signal,
    forceKillAfterDelay: 500,
    stdin: 'ignore',
    maxBuffer: MAX_OUTPUT_BYTES,
    cleanup: true,
  } as const
  const result = await asOrdinary(() => execa(command, args, options))
  return { code: result.exitCode ?? null, stdout: result.stdout, stderr: result.stderr }
}

function tooLong(url: string, what: string, limit: string): LbError {
  return new LbError(`${what} of ${new URL(url).host} is over ${limit}`, { code: 'LB_ENGINE_ANSWER_TOO_LONG', source: 'engine' })
}
