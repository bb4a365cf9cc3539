import { onPath, type Detection, openaiBase, type PluginHost } from '@plimsoll/core/plugin'
import { namesOf, readModelList } from './model-list.js'

const patienceMs = 1500

/** The default port, and the one that llama-server says it will have. */
const usualUrls = ['http://127.0.0.1:8080', 'http://127.0.0.1:9931']

/** Looks for a server at llama-server's default ports, then for the command and its version. */
export async function detect(host: PluginHost, urls: readonly string[] = usualUrls, searchPath?: string): Promise<Detection> {
  const signal = AbortSignal.timeout(patienceMs)
  const [installed, ...servers] = await Promise.all([
    installedCommand(host, signal, searchPath),
    ...urls.map((url) => serverAt(url, host, signal).catch(() => undefined)),
  ])
  const version = installed?.version === undefined ? {} : { version: installed.version }
  const server = servers.find((each) => each?.url !== undefined) ?? servers.find((each) => each !== undefined)
  if (server !== undefined) return { ...version, ...server }
  const where = `no llama-server at ${urls.join(' or ')}`
  if (installed === undefined) return { found: false, detail: `${where}, none on PATH` }
  return {
    found: true,
    ...version,
    detail: `${installed.path}${installed.version === undefined ? '' : ` (${installed.version})`}; ${where}`,
  }
}

interface Installed {
  readonly path: string
  readonly version?: string
}

async function installedCommand(host: PluginHost, signal: AbortSignal, searchPath: string | undefined): Promise<Installed | undefined> {
  const path = await onPath('llama-server', searchPath)
  if (path === undefined) return undefined
  const said = await host.run(path, ['--version'], { signal }).catch(() => undefined)
  const version = said === undefined ? undefined : readVersion(`${said.stdout}\n${said.stderr}`)
  return { path, ...(version === undefined ? {} : { version }) }
}

/** `version: 10573 (3f545becc)`, which a running one calls `b10573-3f545becc`. Devices may be listed before it. */
export function readVersion(text: string): string | undefined {
  const [, build, commit] = /^version: (\d{1,9}) \(([0-9a-f]{4,40})\)/m.exec(text) ?? []
  return build === undefined ? undefined : `b${build}-${commit}`
}

/** Port 8080 has many tenants: only an answer in llama-server's own words counts. */
async function serverAt(url: string, host: PluginHost, signal: AbortSignal): Promise<Detection | undefined> {
  const { status, text } = await host.get(`${url}${openaiBase(url).modelsPath}`, { signal })
  if (text.includes('"message":"Loading model"')) return { found: true, url, detail: `llama-server at ${url} is loading its model` }
  // Without a URL: a topology that attaches it would not work before somebody says where the key is.
  if (status === 401 && text.includes('"authentication_error"'))
    return { found: true, detail: `a server at ${url} asks for an API key; attach it with apiKey: { env: NAME }` }
  const models = status === 200 && text.includes('"owned_by":"llamacpp"') ? readModelList(text) : undefined
  if (models === undefined) return undefined
  const isRouter = models.some((model) => model.status !== undefined)
  return { found: true, url, models: namesOf(models), detail: `llama-server runs at ${url}${isRouter ? ' as a router' : ''}` }
}
