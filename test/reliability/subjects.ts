/** What is put in front of the engines: lb, lb weakened on purpose, nginx, haproxy. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { House, simTopology, until } from '../e2e/house.js'
import { NaiveProxy } from '../e2e/naive-proxy.js'
import { quietPort } from './ports.js'
import { haproxyConfig, nginxConfig, type PeerSetting } from './peer-configs.js'

export interface Subject {
  readonly name: string
  readonly url: string
  /** Tries at nodes by their outcome, where the subject counts them. */
  tries(): Promise<Readonly<Record<string, number>> | undefined>
  close(): Promise<void>
}

/** Starts a subject in front of these engines. */
export type Start = (engineUrls: readonly string[]) => Promise<Subject>

export interface LbOptions {
  /** Further lines of the pool, indented by four. */
  readonly pool?: string
  /** What the nodes are called in the topology. */
  readonly engine?: 'sim' | 'openai'
  readonly name?: string
}

/** lb itself; `house` gives status and logs. */
export class LbSubject implements Subject {
  private constructor(
    readonly name: string,
    readonly house: House,
    readonly url: string,
  ) {}

  static start: (options?: LbOptions) => Start =
    (options = {}) =>
    async (engineUrls) => {
      const house = new House(topology(engineUrls, options))
      return LbSubject.up(house, options.name ?? 'lb')
    }

  /** With simulated engines of its own instead of those that it is given, which it may start again. */
  static launched =
    (args: string, name: string): ((engineUrls: readonly string[]) => Promise<LbSubject>) =>
    () =>
      LbSubject.up(new House(simTopology({ replicas: 4, profile: args })), name)

  /** Nodes that are not as they were. */
  async lost(): Promise<number> {
    const [pool] = (await this.house.status()).pools
    return pool?.nodes.filter(({ restarts, state }) => restarts > 0 || state !== 'ready').length ?? 0
  }

  /** When all nodes take requests. */
  async allReady(): Promise<void> {
    await until(async () => (await this.house.status()).pools[0]?.nodes.every(({ state }) => state === 'ready') === true, 30_000)
  }

  private static async up(house: House, name: string): Promise<LbSubject> {
    const subject = new LbSubject(name, house, await house.up())
    await subject.allReady()
    return subject
  }

  async tries(): Promise<Readonly<Record<string, number>>> {
    const metrics = await (await fetch(`${this.url}/metrics`)).text()
    const lines = [...metrics.matchAll(/^lb_request_attempts_total\{outcome="([a-z-]+)"\} (\d+)/gmu)]
    return Object.fromEntries(lines.map(([, outcome, count]) => [outcome ?? '', Number(count)]))
  }

  async close(): Promise<void> {
    await this.house.lb(['down', '--force'])
    await this.house.close()
  }
}

function topology(engineUrls: readonly string[], { pool = '', engine = 'sim' }: LbOptions): string {
  const nodes = engineUrls.map((url, index) => `      - { name: n${index}, engine: ${engine}, attach: '${url}' }`)
  return `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]
    nodes:
${nodes.join('\n')}
${pool}
`
}

/** `http.request().pipe()` and nothing else: what everybody writes first. */
export const startNaive: Start = async (engineUrls) => {
  const proxy = await NaiveProxy.start(engineUrls)
  return { name: 'naive pipe', url: proxy.url, tries: () => Promise.resolve(undefined), close: () => proxy.close() }
}

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

/** Where a program is; undefined where it is not installed. */
function programPath(name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => isExecutable(path))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

interface Peer {
  readonly name: 'nginx' | 'haproxy'
  readonly config: (setting: PeerSetting) => string
  readonly args: (folder: string, config: string) => readonly string[]
}

const known: readonly Peer[] = [
  { name: 'nginx', config: nginxConfig, args: (folder, config) => ['-p', folder, '-e', 'stderr', '-c', config] },
  { name: 'haproxy', config: haproxyConfig, args: (_folder, config) => ['-db', '-f', config] },
]

/** The peers that are installed here. */
export const peers: readonly { readonly name: string; readonly start: Start }[] = known
  .filter(({ name }) => programPath(name) !== undefined)
  .map((peer) => ({ name: peer.name, start: (urls) => PeerSubject.start(peer, urls) }))

/** Names of the peers that are not, for a line that says so. */
export const missingPeers: readonly string[] = known.map(({ name }) => name).filter((name) => programPath(name) === undefined)

class PeerSubject implements Subject {
  private constructor(
    readonly name: string,
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start({ name, config, args }: Peer, engineUrls: readonly string[]): Promise<PeerSubject> {
    const folder = mkdtempSync(join(tmpdir(), `lb-reliability-${name}-`))
    const port = await quietPort()
    const path = join(folder, `${name}.conf`)
    writeFileSync(path, config({ folder, port, upstreams: engineUrls.map((url) => new URL(url).host) }))
    const child = spawn(programPath(name) ?? name, args(folder, path), { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)))
    await until(async () => child.exitCode !== null || (await isOpen(port)), 15_000)
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${said}`)
    return new PeerSubject(name, `http://127.0.0.1:${port}`, child, folder)
  }

  tries(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit')
      // nginx leaves its worker behind when it is killed; SIGTERM makes both end at once.
      this.child.kill('SIGTERM')
      const late = setTimeout(() => this.child.kill('SIGKILL'), 3_000)
      await gone
      clearTimeout(late)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).then((open) => {
    socket.destroy()
    return open === true
  })
}
