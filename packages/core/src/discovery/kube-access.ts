import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { KubernetesSource } from '../topology/index.js'

/** How to reach an API server, and as whom. */
export interface KubeAccess {
  /** Without a trailing slash. */
  readonly server: string
  readonly ca?: string
  readonly token?: string
  readonly cert?: string
  readonly key?: string
  readonly insecure?: boolean
}

const POD_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Read anew for each request: tokens and certificates are replaced while we run. Throws in words where something is missing. */
export async function kubeAccess(source: KubernetesSource, env: NodeJS.ProcessEnv): Promise<KubeAccess> {
  const own = {
    ...(source.tokenFile === undefined ? {} : { token: await secretIn(source.tokenFile, 'the token') }),
    ...(source.caFile === undefined ? {} : { ca: await textIn(source.caFile, 'the certificates') }),
  }
  if (source.server !== undefined) return { server: source.server, ...own }
  const host = env['KUBERNETES_SERVICE_HOST']
  if (source.kubeconfig === undefined && host !== undefined && host !== '') return { ...(await podAccess(host, env)), ...own }
  return { ...(await configAccess(source.kubeconfig ?? configFileOf(env))), ...own }
}

async function podAccess(host: string, env: NodeJS.ProcessEnv): Promise<KubeAccess> {
  const port = env['KUBERNETES_SERVICE_PORT_HTTPS'] ?? env['KUBERNETES_SERVICE_PORT'] ?? '443'
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    token: await secretIn(join(POD_FOLDER, 'token'), 'the token of the service account'),
    ca: await textIn(join(POD_FOLDER, 'ca.crt'), 'the certificates of the cluster'),
  }
}

function configFileOf(env: NodeJS.ProcessEnv): string {
  const [first] = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  return first ?? join(env['HOME'] ?? homedir(), '.kube', 'config')
}

async function configAccess(file: string): Promise<KubeAccess> {
  const { parse } = await import('yaml')
  const config = recordOf(parse(await textIn(file, 'no API server is named and this runs in no pod; the kubeconfig')))
  const wanted = config['current-context']
  const context = entryOf(config, 'contexts', 'context', wanted)
  if (context === undefined) throw new Error(`${file}: there is no context ${JSON.stringify(wanted)}`)
  const cluster = entryOf(config, 'clusters', 'cluster', context['cluster'])
  const user = entryOf(config, 'users', 'user', context['user']) ?? {}
  const server = cluster?.['server']
  if (cluster === undefined || typeof server !== 'string')
    throw new Error(`${file}: the cluster of context ${JSON.stringify(wanted)} has no server`)
  if (user['exec'] !== undefined || user['auth-provider'] !== undefined)
    throw new Error(`${file}: its user logs in with a command, which lb does not run; write a token to a file and set tokenFile`)
  const folder = dirname(file)
  const [ca, cert, key] = await Promise.all([
    dataOf(cluster, 'certificate-authority', folder),
    dataOf(user, 'client-certificate', folder),
    dataOf(user, 'client-key', folder),
  ])
  const tokenFile = user['tokenFile']
  const token = typeof tokenFile === 'string' ? await secretIn(resolve(folder, tokenFile), 'the token') : textOf(user['token'])
  return {
    server: server.replace(/\/+$/, ''),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(token === undefined ? {} : { token }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
  }
}

/** `clusters: [{name, cluster: {...}}]` and its like. */
function entryOf(
  config: Readonly<Record<string, unknown>>,
  list: string,
  key: string,
  name: unknown,
): Readonly<Record<string, unknown>> | undefined {
  const entries = Array.isArray(config[list]) ? (config[list] as unknown[]).map(recordOf) : []
  const found = entries.find((entry) => entry['name'] === name)
  return found === undefined ? undefined : recordOf(found[key])
}

/** `key-data` in base64, or `key` as a file. */
async function dataOf(entry: Readonly<Record<string, unknown>>, key: string, folder: string): Promise<string | undefined> {
  const data = textOf(entry[`${key}-data`])
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const file = textOf(entry[key])
  return file === undefined ? undefined : textIn(resolve(folder, file), key)
}

async function secretIn(file: string, what: string): Promise<string> {
  const text = (await textIn(file, what)).trim()
  if (text === '') throw new Error(`${what} in ${file} is empty`)
  return text
}

async function textIn(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Error(`${what} cannot be read: ${file} (${(error as { code?: string }).code ?? 'unknown'})`, { cause: error })
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
