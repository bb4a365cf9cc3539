import { onPath, type Detection, type PluginHost } from '@plimsoll/core/plugin'
import { modelsFolder } from './launch.js'
import { tagsOnDisk } from './models-on-disk.js'
import { type Server, tagsAt, versionAt } from './server-facts.js'

const patienceMs = 1500

/** Looks for a server where Ollama's own client would (OLLAMA_HOST, else the default port), then for the command and what it has on disk. Starts nothing. */
export async function detect(host: PluginHost, url = ollamaUrl(process.env['OLLAMA_HOST'])): Promise<Detection> {
  const signal = AbortSignal.timeout(patienceMs)
  const server: Server = { root: url, host, headers: {} }
  const [seen, command] = await Promise.all([versionAt(server, signal).catch(() => undefined), onPath('ollama')])
  if (seen !== undefined && 'version' in seen) return running(server, seen.version, signal)
  const there = seen === undefined ? `no server at ${url}` : `${url} ${seen.why}`
  if (command === undefined) return { found: false, detail: `${there}, no ollama on PATH` }
  return installed(host, { command, there, signal })
}

async function running(server: Server, version: string, signal: AbortSignal): Promise<Detection> {
  const tags = await tagsAt(server, signal).catch(() => undefined)
  const models = tags?.filter(({ isCloud }) => !isCloud).map(({ name }) => name)
  const count = models === undefined ? 'unknown models' : counted(models.length)
  return {
    found: true,
    url: server.root,
    version,
    detail: `Ollama ${version} runs at ${server.root} with ${count}`,
    ...(models === undefined ? {} : { models }),
  }
}

async function installed(host: PluginHost, seen: { command: string; there: string; signal: AbortSignal }): Promise<Detection> {
  // OLLAMA_MODELS of this shell does not reach what `lb` launches: only what a plain launch finds may be proposed.
  const { OLLAMA_MODELS: elsewhere, ...env } = process.env
  const folder = modelsFolder({}, env)
  const [{ stdout, stderr }, models] = await Promise.all([
    host.run(seen.command, ['--version'], { signal: seen.signal }),
    tagsOnDisk(folder),
  ])
  // Without a server it warns, and then names the version of the client.
  const version = /version is (\S+)/.exec(`${stdout}\n${stderr}`)?.[1]
  return {
    found: true,
    detail: `${seen.command}${version === undefined ? '' : ` ${version}`}; ${seen.there}, ${counted(models.length)} in ${folder}${elsewhere === undefined ? '' : `; those of OLLAMA_MODELS need launch.args.modelsDir: ${elsewhere}`}`,
    ...(version === undefined ? {} : { version }),
    ...(models.length === 0 ? {} : { models }),
  }
}

function counted(models: number): string {
  return `${models} model${models === 1 ? '' : 's'}`
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
