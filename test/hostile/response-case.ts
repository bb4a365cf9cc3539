/** One hostile answer of an engine, and what the client may see of it. */
import type { Socket } from 'node:net'

/** What an engine does in place of an answer. */
export type Act = Buffer | { readonly pauseMs: number } | 'close' | 'reset'

/**
 * `whole`: exactly `body`, with `status`. `refused`: a 502 in OpenAI's shape (504 where it is silence). `broken`: the answer had begun, so its end
 * is an error event or a broken body, never a clean end.
 */
export type Seen = 'whole' | 'refused' | 'broken'

export interface ResponseCase {
  readonly name: string
  readonly rfc: string
  readonly stream: boolean
  readonly acts: readonly Act[]
  readonly seen: readonly Seen[]
  readonly body: Buffer
  readonly status: number
}

/** Bytes that no client may ever see. */
export const STRAY = 'stray-bytes-51c9'

export async function act(acts: readonly Act[], socket: Socket): Promise<void> {
  for (const one of acts) {
    if (Buffer.isBuffer(one)) socket.write(one)
    else if (one === 'close') socket.end()
    else if (one === 'reset') socket.resetAndDestroy()
    else await new Promise((resolve) => setTimeout(resolve, one.pauseMs))
  }
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

/** As a case writes it: bytes as text, or `close` and `reset`. */
export type Written = string | Exclude<Act, string>

export interface ResponseOptions {
  readonly body?: string
  readonly status?: number
  readonly stream?: boolean
}

export function response(
  name: string,
  rfc: string,
  seen: Seen | readonly Seen[],
  acts: string | readonly Written[],
  options: ResponseOptions = {},
): ResponseCase {
  const listed = typeof acts === 'string' ? [acts] : acts
  return {
    name,
    rfc,
    stream: options.stream ?? false,
    acts: listed.map((one) => (typeof one === 'string' && one !== 'close' && one !== 'reset' ? latin1(one) : one)),
    seen: typeof seen === 'string' ? [seen] : seen,
    body: latin1(options.body ?? '{"ok":1}'),
    status: options.status ?? 200,
  }
}

/** An answer as text. */
export function answered(lines: readonly string[], body = '{"ok":1}', statusLine = 'HTTP/1.1 200 OK'): string {
  return [statusLine, 'content-type: application/json', ...lines, '', body].join('\r\n')
}

export const OK_LENGTH = 'content-length: 8'
export const chunkOf = (text: string): string => `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`

/** Events of a stream, each as a chunk, behind the head of one. */
export const streamHead = (more = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n${more}\r\n`
export const delta = (text: string): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`
export const DONE = 'data: [DONE]\n\n'
