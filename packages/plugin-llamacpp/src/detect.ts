import { onPath, type Detection, openaiBase, type PluginHost } from '@plimsoll/core/plugin'
import { namesOf, readModelList } from './model-list.js'
import { type FoundModel, modelsOnDisk, usualFolders } from './models-on-disk.js'

const patienceMs = 1500

/** The port that llama-server would take here (LLAMA_ARG_PORT is its own variable), its default, and the one that it says it will have. */
export function usualUrls(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const own = /^[1-9]\d{0,4}$/.test(env['LLAMA_ARG_PORT'] ?? '') ? [env['LLAMA_ARG_PORT']] : []
  return [...new Set([...own, '8080', '9931'])].map((port) => `http://127.0.0.1:${port}`)
}

/** Where to look, where not where it usually is. */
export interface DetectOptions {
  readonly urls?: readonly string[]
  /** Of commands. */
  readonly searchPath?: string
  /** Of model files. */
  readonly folders?: readonly string[]
}

/** Looks for a server at llama-server's default ports, then for the command, its version, and a model that it could be launched with. */
export async function detect(host: PluginHost, { urls = usualUrls(), searchPath, folders }: DetectOptions = {}): Promise<Detection> {
  const signal = AbortSignal.timeout(patienceMs)
  const [installed, ...servers] = await Promise.all([
    installation(host, signal, { ...(searchPath === undefined ? {} : { searchPath }), folders: folders ?? usualFolders() }),
    ...urls.map((url) => serverAt(url, host, signal).catch(() => undefined)),
  ])
  const version = installed?.version === undefined ? {} : { version: installed.version }
  const server = servers.find((each) => each?.url !== undefined) ?? servers.find((each) => each !== undefined)
  if (server !== undefined) return { ...version, ...server }
  const where = `no llama-server at ${urls.join(' or ')}`
  if (installed === undefined) return { found: false, detail: `${where}, none on PATH` }
  const { newest } = installed
  return {
    found: true,
    ...version,
    ...(newest === undefined ? {} : { models: [newest.name], weights: newest.path }),
    detail: `${installed.path}${installed.version === undefined ? '' : ` (${installed.version})`}; ${where}; ${newest === undefined ? 'no model file in the usual folders' : `a model at ${newest.path}`}`,
  }
}

interface Installation {
  readonly path: string
  readonly version?: string
  readonly newest: FoundModel | undefined
}

async function installation(
  host: PluginHost,
  signal: AbortSignal,
  { searchPath, folders }: { readonly searchPath?: string; readonly folders: readonly string[] },
): Promise<Installation | undefined> {
  const path = await onPath('llama-server', searchPath)
  if (path === undefined) return undefined
  const [said, [newest]] = await Promise.all([
    host.run(path, ['--version'], { signal }).catch(() => undefined),
    modelsOnDisk(folders, signal),
  ])
  const version = said === undefined ? undefined : readVersion(`${said.stdout}\n${said.stderr}`)
  return { path, newest, ...(version === undefined ? {} : { version }) }
}

/** `version: 10573 (3f545becc)`, or since 2026 `version: 0.2.0 (build 10573, commit 3f545becc)`; a running one calls itself `b10573-3f545becc`. Devices may be listed before it. */
export function readVersion(text: string): string | undefined {
  const [, build, commit] = /^version: (?:\S+ \(build )?(\d{1,9})(?: \(|, commit )(\w{4,40})\)/m.exec(text) ?? []
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
