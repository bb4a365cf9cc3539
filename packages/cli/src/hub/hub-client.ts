import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { Got, Response } from 'got'
import { networkError, refusalError } from './hub-errors.js'
import type { HubSettings } from './hub-settings.js'

export interface HubAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: AsyncIterable<Buffer>
  /** Lets go of a body that nobody will read. */
  discard(): void
}

/** Asks one hub. The token goes to the hub itself only, not to where it redirects. */
export interface HubClient {
  /** JSON of a path below the endpoint. Throws LB_MODEL_NOT_FOUND, LB_MODEL_GATED, LB_HUB_BUSY, LB_HUB_FAILED, LB_NO_NETWORK. */
  json(path: string, about: { readonly what: string; readonly repo: string }): Promise<unknown>
  /** A file from an offset on. Network failures come as they are: the caller may try again. */
  open(path: string, from: number): Promise<HubAnswer>
  readonly settings: HubSettings
}

const TRIES = 2

export async function createHubClient(
  settings: HubSettings,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<HubClient> {
  const got = await gotFor(settings, signal, env)
  return {
    settings,
    async json(path, { what, repo }) {
      let response: Response<string>
      try {
        response = await got(`${settings.endpoint}${path}`, { retry: { limit: TRIES - 1 }, timeout: { request: 60_000 } })
      } catch (error) {
        signal.throwIfAborted()
        throw networkError(error, settings)
      }
      if (response.statusCode !== 200)
        throw refusalError({ status: response.statusCode, code: errorCode(response.headers), what, repo }, settings)
      return parse(response.body)
    },
    async open(path, from) {
      const range = from === 0 ? {} : { headers: { range: `bytes=${from}-` } }
      const stream = got.stream(`${settings.endpoint}${path}`, { ...range, retry: { limit: 0 }, decompress: false })
      const { promise, resolve, reject } = Promise.withResolvers<Response>()
      stream.once('response', resolve).on('error', reject)
      const { statusCode, headers } = await promise
      return { status: statusCode, headers, body: stream as AsyncIterable<Buffer>, discard: () => stream.destroy() }
    },
  }
}

export function errorCode(headers: HubAnswer['headers']): string | undefined {
  const code = headers['x-error-code']
  return typeof code === 'string' ? code : undefined
}

/** Through the proxy that the environment names, trusting what SSL_CERT_FILE adds. got itself drops the token when it is led to another host. */
async function gotFor({ token }: HubSettings, signal: AbortSignal, env: NodeJS.ProcessEnv): Promise<Got> {
  const { default: got } = await import('got')
  const options = { proxyEnv: env, keepAlive: true }
  const extra = certificatesIn(env['SSL_CERT_FILE'] ?? env['REQUESTS_CA_BUNDLE'])
  return got.extend({
    signal,
    throwHttpErrors: false,
    headers: { 'user-agent': 'plimsoll-lb', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    agent: { http: new HttpAgent(options), https: new HttpsAgent(options) },
    timeout: { connect: 15_000, secureConnect: 15_000, socket: 60_000, response: 60_000 },
    ...(extra === undefined ? {} : { https: { certificateAuthority: [...rootCertificates, extra] } }),
  })
}

function certificatesIn(path: string | undefined): string | undefined {
  try {
    return path === undefined || path === '' ? undefined : readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
