import { onPath, type Detection, type PluginHost, probeOpenAi } from '@plimsoll/core/plugin'

const patienceMs = 1500

/** Looks for a server at llama-server's default port, then for the command. */
export async function detect(host: PluginHost, url = 'http://127.0.0.1:8080'): Promise<Detection> {
  const signal = AbortSignal.timeout(patienceMs)
  const [server, command] = await Promise.all([serverAt(url, host, signal).catch(() => undefined), onPath('llama-server')])
  if (server !== undefined) return server
  if (command !== undefined) return { found: true, detail: `${command}; no llama-server at ${url}` }
  return { found: false, detail: `no llama-server at ${url}, none on PATH` }
}

/** Port 8080 has many tenants: only an answer in llama-server's own words counts. */
async function serverAt(url: string, host: PluginHost, signal: AbortSignal): Promise<Detection | undefined> {
  const list = await host.get(`${url}/v1/models`, { signal })
  if (list.text.includes('"message":"Loading model"')) return { found: true, url, detail: `llama-server at ${url} is loading its model` }
  if (list.status === 401 && list.text.includes('"authentication_error"'))
    return { found: true, url, detail: `a server at ${url} asks for an API key` }
  if (list.status !== 200 || !list.text.includes('"owned_by":"llamacpp"')) return undefined
  const report = await probeOpenAi(host, { url, signal })
  const models = report.verdict === 'ready' ? report.models : undefined
  return { found: true, url, detail: `llama-server runs at ${url}`, ...(models === undefined ? {} : { models }) }
}
