import type { IncomingMessage } from 'node:http'
import { leanHttp, leanHttps } from '../base/index.js'

const MAX_BYTES = 1_048_576

export interface UrlQuestion {
  readonly url: URL
  readonly signal: AbortSignal
  /** Sent by POST as JSON; absent: GET. */
  readonly body?: unknown
}

/** The text of an answer of 2xx. Throws with what came instead. */
export async function askUrl({ url, signal, body }: UrlQuestion): Promise<string> {
  const { request } = url.protocol === 'https:' ? leanHttps() : leanHttp
  const sent = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const headers = sent === undefined ? {} : { 'content-type': 'application/json', 'content-length': sent.byteLength }
  const answer = await new Promise<IncomingMessage>((answered, failed) => {
    request(url, { method: sent === undefined ? 'GET' : 'POST', agent: false, headers, signal }, answered)
      .on('error', failed)
      .end(sent)
  })
  const text = await textOf(answer)
  const status = answer.statusCode ?? 0
  if (status >= 200 && status < 300) return text
  throw new Error(`${url.host} answered ${status}${text === '' ? '' : `: ${text.slice(0, 200)}`}`)
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.byteLength
    if (bytes > MAX_BYTES) throw new Error(`the answer is over ${MAX_BYTES} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
