import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { LbError, messageOf } from '../../errors/index.js'
import { runCommand, type CommandEnd } from './run-command.js'
import { destinationArguments, type SshDestination } from './ssh-destination.js'

export interface SshLinkOptions {
  /** For people and errors: the host's name in the topology. */
  readonly name: string
  readonly destination: SshDestination
  /** Private folder with a short path: sockets live there. */
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
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
  private readonly tunnels = new Map<number, string>()
  private master: ChildProcess | undefined
  private coming: Promise<void> | undefined
  private retry: NodeJS.Timeout | undefined
  private waitMs = FIRST_WAIT_MS
  private closed = false

  constructor(private readonly options: SshLinkOptions) {
    const id = createHash('sha256').update(JSON.stringify(options.destination)).digest('hex').slice(0, 8)
    this.controlPath = join(options.folder, `${id}-${randomBytes(3).toString('hex')}`)
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

  /** A unix socket here that leads to a loopback port there; opened again with each new link. */
  async tunnel(port: number): Promise<string> {
    const known = this.tunnels.get(port)
    if (known !== undefined) return known
    const path = `${this.controlPath}.${port}`
    this.tunnels.set(port, path)
    await this.open()
    await this.forward(port, path)
    return path
  }

  async closeTunnel(port: number): Promise<void> {
    const path = this.tunnels.get(port)
    this.tunnels.delete(port)
    if (path === undefined) return
    if (this.isUp) await this.control('cancel', ['-L', `${path}:127.0.0.1:${port}`]).catch(() => undefined)
    rmSync(path, { force: true })
  }

  /** Ends the link. What was started over there runs on. */
  close(): void {
    this.closed = true
    clearTimeout(this.retry)
    this.master?.kill('SIGTERM')
    for (const path of this.tunnels.values()) rmSync(path, { force: true })
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
      for (const [port, path] of this.tunnels) await this.forward(port, path)
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
    const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'], env: this.options.env })
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

  private async forward(port: number, path: string): Promise<void> {
    rmSync(path, { force: true })
    await this.control('forward', ['-L', `${path}:127.0.0.1:${port}`])
  }

  private async control(command: 'forward' | 'cancel', args: readonly string[]): Promise<void> {
    const all = [...this.shared(), '-O', command, ...args, ...destinationArguments(this.options.destination)]
    const end = await runCommand('ssh', all, { env: this.options.env, input: '', withinMs: CONNECT_WITHIN_MS })
    if (end.code !== 0) throw this.failed(`${command} of a tunnel: ${lastLine(end.stderr) || `ssh ended with ${end.code}`}`)
  }

  private shared(): string[] {
    const options = ['BatchMode=yes', 'StreamLocalBindUnlink=yes', 'StreamLocalBindMask=0177', ...(this.options.options ?? [])]
    return ['-S', this.controlPath, ...options.flatMap((option) => ['-o', option])]
  }

  private failed(why: string): LbError {
    return new LbError(`host ${this.options.name} cannot be reached by ssh: ${why}`, {
      code: 'LB_SSH_FAILED',
      source: 'operator',
      hint: `try: ssh -o BatchMode=yes ${destinationArguments(this.options.destination).join(' ').replace('-- ', '')} true`,
    })
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? ''
}
