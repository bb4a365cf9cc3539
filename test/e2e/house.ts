/** A private place for one test to run the real `lb` binary in: state, runtime folder and topology of its own, nothing left behind. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../../', import.meta.url))
export const binary = join(repository, 'bin/lb')

/** `npm run test:long` runs everything; the gate leaves out what takes long and shows the same in a shorter way elsewhere. */
export const isLong = process.env['LB_TEST_LONG'] === '1'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface NodeRow {
  readonly id: string
  readonly state: string
  readonly url: string
  readonly pid: number | null
  readonly inFlight: number
  readonly requests: number
  readonly restarts: number
  readonly reason: string | null
  readonly sinceMs: number
  readonly adopted: boolean
  readonly logPath: string | null
}

export interface StatusDocument {
  readonly name: string
  readonly pid: number
  readonly startedAtMs: number
  readonly gateway: { readonly listen: readonly string[] }
  readonly pools: readonly {
    readonly name: string
    readonly nodes: readonly NodeRow[]
    readonly strategyReport?: Readonly<Record<string, number>>
  }[]
}

export class House {
  readonly folder = mkdtempSync(join(tmpdir(), 'lb-e2e-'))
  readonly env: NodeJS.ProcessEnv
  private readonly children = new Set<ChildProcess>()

  constructor(topology?: string) {
    for (const name of ['run', 'state', 'config', 'cache', 'home', 'work']) mkdirSync(join(this.folder, name), { mode: 0o700 })
    this.env = {
      PATH: process.env['PATH'],
      HOME: join(this.folder, 'home'),
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
      XDG_RUNTIME_DIR: join(this.folder, 'run'),
      XDG_STATE_HOME: join(this.folder, 'state'),
      XDG_CONFIG_HOME: join(this.folder, 'config'),
      XDG_CACHE_HOME: join(this.folder, 'cache'),
      XDG_DATA_HOME: join(this.folder, 'data'),
    }
    // Each house has a cache folder of its own, and a third of each start is compiling: that may be shared.
    const compiled = join(tmpdir(), 'lb-e2e-compiled')
    mkdirSync(compiled, { recursive: true, mode: 0o700 })
    mkdirSync(join(this.folder, 'cache', 'plimsoll'), { mode: 0o700 })
    symlinkSync(compiled, join(this.folder, 'cache', 'plimsoll', 'compiled'))
    if (topology !== undefined) this.write('lb.yaml', topology)
  }

  get cwd(): string {
    return join(this.folder, 'work')
  }

  write(name: string, text: string): string {
    const path = join(this.cwd, name)
    writeFileSync(path, text)
    return path
  }

  /** Starts `lb` and leaves it running. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = spawn(binary, args, { cwd: this.cwd, env: { ...this.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.children.add(child)
    child.once('exit', () => this.children.delete(child))
    return child
  }

  /** Runs `lb` to its end. */
  lb(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
    return finished(this.start(args, env))
  }

  /** Asked of the balancer itself: tests look again and again, and each `lb status` would start a Node.js. */
  async status(): Promise<StatusDocument> {
    const sockets = this.controlSockets()
    if (sockets.length === 1) return this.control<StatusDocument>('/v1/status')
    const result = await this.lb(['status', '--json'])
    if (result.code !== 0) throw new Error(`lb status ended with ${result.code}: ${result.stderr}`)
    return JSON.parse(result.stdout) as StatusDocument
  }

  /** What the only balancer of this house answers on its control socket. */
  async control<Document>(path: string): Promise<Document> {
    const [socketPath = 'no socket'] = this.controlSockets()
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ socketPath, path, agent: false, timeout: 10_000 }, resolve)
        .on('error', reject)
        .on('timeout', function (this: ClientRequest) {
          this.destroy(new Error(`no answer to ${path} within 10 s`))
        })
    })
    const text = await readAll(response)
    if (response.statusCode !== 200) throw new Error(`control answered ${response.statusCode} to ${path}: ${text}`)
    return JSON.parse(text) as Document
  }

  private controlSockets(): string[] {
    const root = join(this.folder, 'run', 'plimsoll')
    const names = existsSync(root) ? readdirSync(root) : []
    return names.map((name) => join(root, name, 'control.sock')).filter((path) => existsSync(path))
  }

  /** `lb up --detach`, then the gateway's URL. */
  async up(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const result = await this.lb(['up', '--detach', ...args], env)
    if (result.code !== 0) throw new Error(`lb up ended with ${result.code}:\n${result.stdout}\n${result.stderr}\n${this.logs()}`)
    return (await this.status()).gateway.listen[0] ?? ''
  }

  /** Every log file of this house, for a failing test's message. */
  logs(): string {
    const root = join(this.folder, 'state')
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.log'))
      .map((path) => `--- ${path}\n${readFileSync(join(root, path), 'utf8').slice(-2000)}`)
      .join('\n')
  }

  /** Process ids that carry this house's folder in their environment: balancer, keeper and engines. Linux only. */
  survivors(): number[] {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
      .filter((entry) => environmentOf(entry).includes(this.folder))
      .map(Number)
  }

  /** Kills whatever of it runs: to let it stop in peace first would take a second of each test. */
  async close(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL')
    const killAll = (): boolean => {
      const left = this.survivors()
      for (const pid of left) kill(pid)
      return left.length === 0
    }
    await until(killAll, 5_000).catch(() => undefined)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function finished(child: ChildProcess): Promise<Finished> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => (stdout += part))
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (stderr += part))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })))
}

/** Waits for a condition, looking every 20 ms. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${String(condition)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return ''
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** The smallest simulated topology, on a port that the system chooses. */
export function simTopology(options: { readonly replicas?: number; readonly profile?: string; readonly more?: string } = {}): string {
  return `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]
    nodes:
      - name: sim
        engine: sim
        launch: { replicas: ${options.replicas ?? 4}, args: { profile: ${options.profile ?? 'instant'} } }
${options.more ?? ''}`
}
