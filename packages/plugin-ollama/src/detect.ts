import { onPath, type Detection, type PluginHost } from '@plimsoll/core/plugin'
import { tagsAt, versionAt } from './server-facts.js'

const patienceMs = 1500

/** Looks for a server where Ollama's own client would (OLLAMA_HOST, else the default port), then for the command. */
export async function detect(host: PluginHost, url = ollamaUrl(process.env['OLLAMA_HOST'])): Promise<Detection> {
  const signal = AbortSignal.timeout(patienceMs)
  const [version, command] = await Promise.all([versionAt(url, host, signal).catch(() => undefined), onPath('ollama')])
  if (version !== undefined) return running(host, { url, version, signal })
  if (command !== undefined) return { found: true, detail: `${command}; no server at ${url} (start it: ollama serve)` }
  return { found: false, detail: `no server at ${url}, no ollama on PATH` }
}

async function running(host: PluginHost, server: { url: string; version: string; signal: AbortSignal }): Promise<Detection> {
  const { url, version, signal } = server
  const models = await tagsAt(url, host, signal).catch(() => undefined)
  const count = models === undefined ? 'unknown models' : `${models.length} model${models.length === 1 ? '' : 's'}`
  return {
    found: true,
    url,
    version,
    detail: `Ollama ${version} runs at ${url} with ${count}`,
    ...(models === undefined ? {} : { models }),
  }
}

/** Reads `[scheme://]host[:port][/path]` as Ollama does; the address that means "all interfaces" is reached on loopback. */
export function ollamaUrl(value: string | undefined): string {
  const usual = 'http://127.0.0.1:11434'
  const text = value?.trim().replaceAll(/^["']|["']$/g, '')
  if (!text) return usual
  const hasScheme = text.includes('://')
  if (!URL.canParse(hasScheme ? text : `http://${text}`)) return usual
  const url = new URL(hasScheme ? text : `http://${text}`)
  const host = url.hostname === '0.0.0.0' || url.hostname === '[::]' ? '127.0.0.1' : url.hostname
  const port = url.port || portOf(url.protocol, hasScheme)
  return `${url.protocol}//${host}:${port}${url.pathname.replace(/\/+$/, '')}`
}

function portOf(protocol: string, hasScheme: boolean): string {
  if (!hasScheme) return '11434'
  return protocol === 'https:' ? '443' : '80'
}
