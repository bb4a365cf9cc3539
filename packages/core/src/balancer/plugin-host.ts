import { leanHttp, leanHttps } from '../base/index.js'
import type { HostResponse, Logger, PluginHost } from '../contracts/index.js'

const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** What a plugin may use of its host: the log, and GET requests that cannot hold memory or wander off. */
export function createPluginHost(log: Logger): PluginHost {
  return { log, get: (url, options) => get(url, options) }
}

async function get(url: string, options: Parameters<PluginHost['get']>[1]): Promise<HostResponse> {
  const parsed = new URL(url)
  const { request } = parsed.protocol === 'https:' ? leanHttps() : leanHttp
  const unix = parsed.protocol === 'http+unix:'
  const socket = unix ? { socketPath: decodeURIComponent(parsed.hostname) } : {}
  const target = unix ? new URL(`http://localhost${parsed.pathname}${parsed.search}`) : parsed
  return new Promise((resolve, reject) => {
    // Without an agent: a probe's socket must not be one that the engine is about to close.
    const sent = request(
      target,
      { ...socket, agent: false, signal: options.signal, headers: { accept: 'application/json', ...options.headers } },
      (answer) => {
        const parts: Buffer[] = []
        let bytes = 0
        answer.on('data', (part: Buffer) => {
          bytes += part.byteLength
          if (bytes > MAX_ANSWER_BYTES) sent.destroy(new Error(`the answer of ${parsed.host} is over 4 MiB`))
          else parts.push(part)
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }))
        answer.on('error', reject)
      },
    )
    sent.on('error', reject).end()
  })
}
