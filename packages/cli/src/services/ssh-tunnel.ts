import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LbError, shellWord } from '@plimsoll/core'
import { sshArguments } from './ssh-remote.js'

/** A balancer on another machine, reached through the user's own ssh: its keys, its config, its known hosts. */
export interface RemoteBalancer {
  /** Local socket that leads to the remote control socket. */
  readonly controlSocket: string
  /** A local socket that leads to `host:port` or a socket path over there. */
  forward(destination: string): Promise<string>
  /** Ends every ssh that was started. */
  close(): void
}

export interface RemoteQuery {
  readonly name?: string | undefined
  readonly file?: string | undefined
}

const TUNNEL_WITHIN_MS = 20_000

/** Asks `lb paths` over there where the control socket is, and forwards it. Throws LB_REMOTE_FAILED with what ssh said. */
export async function openRemote(remote: string, query: RemoteQuery): Promise<RemoteBalancer> {
  const ssh = sshArguments(remote)
  const folder = mkdtempSync(join(tmpdir(), 'lb-'))
  const tunnels: ChildProcess[] = []
  const close = (): void => {
    for (const tunnel of tunnels) tunnel.kill('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  }
  const forward = async (destination: string): Promise<string> => {
    const local = join(folder, `${tunnels.length}.sock`)
    const tunnel = startTunnel(ssh, `${local}:${destination}`)
    tunnels.push(tunnel.child)
    await untilOpen(local, tunnel, remote)
    return local
  }
  try {
    return { controlSocket: await forward(await remoteSocket(ssh, query, remote)), forward, close }
  } catch (error) {
    close()
    throw error
  }
}

/** Runs `lb` over there with the terminal's own stdin and stdout; resolves with its exit code. */
export function runOverSsh(remote: string, args: readonly string[]): Promise<number> {
  const child = spawn('ssh', [...sshArguments(remote), ['lb', ...args].map(shellWord).join(' ')], { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(remoteError(remote, error.message)))
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

async function remoteSocket(ssh: readonly string[], query: RemoteQuery, remote: string): Promise<string> {
  const flags = Object.entries({ name: query.name, file: query.file }).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, value],
  )
  const command = ['lb', 'paths', '--json', ...flags].map(shellWord).join(' ')
  const text = await new Promise<string>((resolve, reject) => {
    execFile('ssh', [...ssh, command], { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(remoteError(remote, lastLineOf(stderr) || error.message))
    })
  })
  const path = (JSON.parse(text) as { socketPath?: unknown }).socketPath
  if (typeof path !== 'string') throw remoteError(remote, '`lb paths --json` names no socket over there')
  return path
}

interface Tunnel {
  readonly child: ChildProcess
  said: string
}

function startTunnel(ssh: readonly string[], forwarding: string): Tunnel {
  // `cat` over there ends with our end of the pipe, so that no tunnel outlives an lb that was killed; with -N it would.
  const options = ['-o', 'ExitOnForwardFailure=yes', '-o', 'ServerAliveInterval=15', '-L', forwarding]
  const child = spawn('ssh', [...options, ...ssh, 'cat'], { stdio: ['pipe', 'ignore', 'pipe'] })
  const tunnel: Tunnel = { child, said: '' }
  child.stderr.setEncoding('utf8').on('data', (part: string) => (tunnel.said = `${tunnel.said}${part}`.slice(-4096)))
  child.once('error', (error) => (tunnel.said = error.message))
  return tunnel
}

async function untilOpen(local: string, tunnel: Tunnel, remote: string): Promise<void> {
  const deadline = performance.now() + TUNNEL_WITHIN_MS
  while (!(await answers(local))) {
    if (tunnel.child.exitCode !== null) throw remoteError(remote, lastLineOf(tunnel.said) || `ssh ended with ${tunnel.child.exitCode}`)
    if (performance.now() > deadline) throw remoteError(remote, `no tunnel within ${TUNNEL_WITHIN_MS / 1000} s`)
    await sleep(50)
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const done = (open: boolean): void => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => done(true)).once('error', () => done(false))
  })
}

function lastLineOf(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? ''
}

function remoteError(remote: string, why: string): LbError {
  return new LbError(`${remote} cannot be reached: ${why}`, {
    code: 'LB_REMOTE_FAILED',
    source: 'operator',
    hint: 'try `ssh HOST lb status`: ssh must reach it, and lb must be on its PATH for shells without login',
  })
}
