import type { IncomingMessage } from 'node:http'
import { leanHttp, leanHttps } from '../base/index.js'
import type { KubeAccess } from './kube-access.js'

/** A list of a thousand endpoints is some hundred kilobytes. */
const MAX_LIST_BYTES = 32 * 1024 * 1024
const MAX_LINE_BYTES = 4 * 1024 * 1024

/** An answer of the API server that is none of 200. */
export class KubeRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
    this.name = 'KubeRefusal'
  }
}

/** GETs a path of the API server; resolves with the head of a 200. Throws KubeRefusal. */
export async function kubeGet(access: KubeAccess, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(`${access.server}${path}`)
  const { ca, cert, key, token, insecure } = access
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: insecure !== true,
  }
  const headers = { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
  const { request } = url.protocol === 'https:' ? leanHttps() : leanHttp
  const answer = await new Promise<IncomingMessage>((answered, failed) => {
    request(url, { ...(url.protocol === 'https:' ? tls : {}), agent: false, headers, signal }, answered)
      .on('error', failed)
      .end()
  })
  if (answer.statusCode === 200) return answer
  const said = (await textOf(answer, 2_048).catch(() => '')).slice(0, 300)
  throw new KubeRefusal(answer.statusCode ?? 0, `${meaningOf(answer.statusCode ?? 0)}${messageIn(said)}`)
}

/** The whole answer as JSON. */
export async function jsonOf(answer: IncomingMessage): Promise<unknown> {
  const text = await textOf(answer, MAX_LIST_BYTES)
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new Error(`the API server's answer is no JSON: ${text.slice(0, 80)}`, { cause: error })
  }
}

/** The lines of an answer, as they come. */
export async function* linesOf(answer: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  answer.setEncoding('utf8')
  for await (const part of answer as AsyncIterable<string>) {
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_BYTES) throw new Error('the API server sent a line over 4 MiB')
    for (const line of lines) if (line.trim() !== '') yield line
  }
}

async function textOf(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.byteLength
    if (bytes > maxBytes) throw new Error(`the API server's answer is over ${maxBytes / 1024 / 1024} MiB`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function meaningOf(status: number): string {
  if (status === 401) return 'the API server does not take the token (401)'
  if (status === 403)
    return 'this account may not read EndpointSlices (403); give it get, list and watch on endpointslices of discovery.k8s.io'
  if (status === 404) return 'the API server has no EndpointSlices of discovery.k8s.io/v1 (404); they are there from Kubernetes 1.21 on'
  return `the API server answered ${status}`
}

/** The message of a Status object. */
function messageIn(said: string): string {
  const message = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(said)?.[1]
  return message === undefined ? '' : `: ${message}`
}
