import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { LbError, messageOf } from '../../errors/index.js'
import { runCommand, type CommandEnd } from './run-command.js'
import { destinationArguments, type SshDestination } from './ssh-destination.js'

export interface SshLinkOptions {
  /** For people and errors: the host's name in the topology. */
  readonly name: string
  readonly destination: SshDestination
  readonly env: NodeJS.ProcessEnv
  /** Used in the place of the user's own configuration. */
  readonly configFile?: string
  /** Further `-o` options, `Key=value`. */
  readonly options?: readonly string[]
  /** The link came up or was lost; with the reason of the latter. */
  readonly onChange?: (state: 'up' | 'down', reason: string | null) => void
}

const CONNECT_WITHIN_MS = 20_000
const SCRIPT_WITHIN_MS = 30_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
/** A link that says nothing for this long is dead: 3 x 5 s. */
const KEEP_ALIVE = ['ServerAliveInterval=5', 'ServerAliveCountMax=3', 'TCPKeepAlive=yes']

/**
 * One control master to one host, through the user's own ssh: its keys, its config, its known hosts. Never asks anything. A lost link is
 * made again, with its tunnels; nothing over there notices.
 */
export class SshLink {
  private readonly controlPath: string
  private readonly tunnels = new Map<number, number>()
  private master: ChildProcess | undefined
  private coming: Promise<void> | undefined
  private retry: NodeJS.Timeout | undefined
  private waitMs = FIRST_WAIT_MS
  private closed = false

  constructor(private readonly options: SshLinkOptions) {
    const id = createHash('sha256').update(JSON.stringify(options.destination)).digest('hex').slice(0, 8)
    this.controlPath = join(privateFolder(), `${id}-${randomBytes(3).toString('hex')}`)
  }

  get isUp(): boolean {
    return this.master !== undefined && this.coming === undefined
  }

  /** Resolves when the link stands. Throws LB_SSH_FAILED with ssh's own words. */
  open(): Promise<void> {
    if (this.closed) return Promise.reject(this.failed('the link was closed'))
    if (this.isUp) return Promise.resolve()
    this.coming ??= this.connect().finally(() => (this.coming = undefined))
    return this.coming
  }

  /** Runs a script there; its exit code is a value, a broken link throws LB_SSH_FAILED. */
  async run(script: string, options: { readonly withinMs?: number; readonly signal?: AbortSignal } = {}): Promise<CommandEnd> {
    await this.open()
    const args = [...this.shared(), ...destinationArguments(this.options.destination), 'sh']
    const withinMs = options.withinMs ?? SCRIPT_WITHIN_MS
    const end = await runCommand('ssh', args, {
      env: this.options.env,
      input: script,
      withinMs,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    if (end.code === 255) throw this.failed(lastLine(end.stderr) || 'ssh ended with 255')
    if (end.code === null) throw this.failed(lastLine(end.stderr) || `a script did not end within ${withinMs / 1000} s`)
    return end
  }

  /** Runs a script there whose output is handed on as it comes; resolves with its exit code when it ends, null when the link broke. */
  async stream(script: string, onData: (part: Buffer) => void): Promise<number | null> {
    await this.open()
    const args = [...this.shared(), ...destinationArguments(this.options.destination), 'sh']
    const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'ignore'], env: this.options.env, detached: true })
    // It stays open: its end tells the script that nobody listens any more.
    child.stdin.on('error', () => undefined).write(script)
    child.stdout.on('data', onData)
    return new Promise((resolve) => {
      child.once('error', () => resolve(null))
      child.once('close', (code) => resolve(code === 255 ? null : code))
    })
  }

  /** A loopback port here that leads to one there; opened again with each new link. */
  async tunnel(localPort: number, remotePort: number): Promise<void> {
    if (this.tunnels.get(localPort) === remotePort) return
    this.tunnels.set(localPort, remotePort)
    // A new link opens all of them.
    if (this.isUp) await this.forward(localPort, remotePort)
    else await this.open()
  }

  /** Ends the link. What was started over there runs on. */
  close(): void {
    this.closed = true
    clearTimeout(this.retry)
    this.master?.kill('SIGTERM')
    rmSync(this.controlPath, { force: true })
  }

  private async connect(): Promise<void> {
    clearTimeout(this.retry)
    rmSync(this.controlPath, { force: true })
    try {
      const master = this.startMaster()
      await this.untilReady(master)
      master.child.once('exit', () => this.lost(lastLine(master.said) || 'the connection was lost'))
      this.master = master.child
      for (const [localPort, remotePort] of this.tunnels) await this.forward(localPort, remotePort)
    } catch (error) {
      this.again(messageOf(error))
      throw error
    }
    this.waitMs = FIRST_WAIT_MS
    this.options.onChange?.('up', null)
  }

  private startMaster(): { readonly child: ChildProcess; said: string } {
    const own = ['ControlMaster=yes', 'ControlPersist=no', `ConnectTimeout=${CONNECT_WITHIN_MS / 2000}`, ...KEEP_ALIVE]
    // `cat` over there ends with our end of the pipe: no master outlives an lb that was killed.
    const args = [
      ...this.shared(),
      ...own.flatMap((option) => ['-o', option]),
      ...destinationArguments(this.options.destination),
      'echo ready; exec cat',
    ]
    // In a group of its own: a signal to ours is for us to answer, and stopping takes the link.
    const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'], env: this.options.env, detached: true })
    const master = { child, said: '' }
    child.stderr.setEncoding('utf8').on('data', (part: string) => (master.said = `${master.said}${part}`.slice(-4096)))
    child.stdin.on('error', () => undefined)
    return master
  }

  private untilReady(master: { readonly child: ChildProcess; said: string }): Promise<void> {
    const { child } = master
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        child.kill('SIGKILL')
        reject(this.failed(`no connection within ${CONNECT_WITHIN_MS / 1000} s`))
      }, CONNECT_WITHIN_MS)
      const done = (settle: () => void): void => {
        clearTimeout(late)
        settle()
      }
      // A login script may print first.
      child.stdout?.setEncoding('utf8').on('data', (part: string) => {
        if (/(^|\n)ready\r?\n/.test(part)) done(resolve)
      })
      child.once('error', (error) => done(() => reject(this.failed(error.message))))
      child.once('exit', (code) => done(() => reject(this.failed(lastLine(master.said) || `ssh ended with ${code}`))))
    })
  }

  private lost(reason: string): void {
    if (this.master === undefined) return
    this.master = undefined
    if (this.closed) return
    this.options.onChange?.('down', reason)
    this.again(reason)
  }

  private again(reason: string): void {
    this.master?.kill('SIGKILL')
    this.master = undefined
    if (this.closed) return
    clearTimeout(this.retry)
    this.retry = setTimeout(() => {
      this.open().catch(() => this.options.onChange?.('down', reason))
    }, this.waitMs)
    this.retry.unref()
    this.waitMs = Math.min(LONGEST_WAIT_MS, this.waitMs * 2)
  }

  private async forward(localPort: number, remotePort: number): Promise<void> {
    const forwarding = `127.0.0.1:${localPort}:127.0.0.1:${remotePort}`
    const args = [...this.shared(), '-O', 'forward', '-L', forwarding, ...destinationArguments(this.options.destination)]
    const end = await runCommand('ssh', args, { env: this.options.env, input: '', withinMs: CONNECT_WITHIN_MS })
    if (end.code !== 0) throw this.failed(`no tunnel to its port ${remotePort}: ${lastLine(end.stderr) || `ssh ended with ${end.code}`}`)
  }

  private shared(): string[] {
    const options = ['BatchMode=yes', ...(this.options.options ?? [])]
    const { configFile } = this.options
    return [...(configFile === undefined ? [] : ['-F', configFile]), '-S', this.controlPath, ...options.flatMap((option) => ['-o', option])]
  }

  private failed(why: string): LbError {
    return new LbError(`host ${this.options.name} cannot be reached by ssh: ${why}`, {
      code: 'LB_SSH_FAILED',
      source: 'operator',
      hint: `try: ssh -o BatchMode=yes ${destinationArguments(this.options.destination).join(' ').replace('-- ', '')} true`,
    })
  }
}

/** For control sockets: short, and nobody else's. */
function privateFolder(): string {
  const { uid } = userInfo()
  const path = join(tmpdir(), `plimsoll-ssh-${uid}`)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const found = lstatSync(path)
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return path
  throw new LbError(`${path} belongs to somebody else, or others may enter it`, {
    code: 'LB_UNSAFE_FOLDER',
    source: 'operator',
    hint: `look at it, and remove it: ls -ld ${path}`,
  })
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? ''
}
