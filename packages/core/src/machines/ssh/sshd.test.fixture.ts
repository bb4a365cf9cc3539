import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** A real sshd of this user on loopback, with keys of its own. */
export interface TestSshd {
  readonly port: number
  readonly user: string
  readonly folder: string
  /** `-o` options by which ssh reaches it and nothing of the user's own configuration counts. */
  readonly options: readonly string[]
  /** Cuts every connection, as a lost link would, and takes no new ones until `start`. */
  stop(): void
  start(): Promise<void>
  close(): void
}

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find((path) => existsSync(path))

/** Why there can be no sshd; undefined when there can. */
export const noSshd: string | undefined = SSHD === undefined ? 'sshd is not installed (Debian: apt-get install openssh-server)' : undefined

/** `env`: what every login there has beside the usual. */
export async function startSshd(env: Readonly<Record<string, string>> = {}): Promise<TestSshd> {
  const folder = mkdtempSync(join(tmpdir(), 'lb-sshd-'))
  const keyOf = (name: string): string => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)])
    return join(folder, name)
  }
  const hostKey = keyOf('host')
  const userKey = keyOf('user')
  const port = await freePort()
  writeFileSync(join(folder, 'authorized'), readFileSync(`${userKey}.pub`), { mode: 0o600 })
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    `PidFile ${join(folder, 'pid')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    'LogLevel ERROR',
    ...(Object.keys(env).length === 0
      ? []
      : [
          `SetEnv ${Object.entries(env)
            .map(([name, value]) => `${name}=${value}`)
            .join(' ')}`,
        ]),
  ]
  writeFileSync(join(folder, 'config'), `${config.join('\n')}\n`)
  // Debian's sshd separates privileges in this folder; made at boot, which a container has not had.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true })
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    child = spawn(SSHD ?? '', ['-D', '-e', '-f', join(folder, 'config')], { stdio: 'ignore', detached: true })
    await untilListening(port)
  }
  const stop = (): void => {
    if (child?.pid === undefined) return
    // Sessions are children of the listener; some leave its group.
    const pids = execFileSync('ps', ['-axo', 'pid=,ppid='])
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
    const sessions = pids.filter(([, parent]) => parent === child?.pid).map(([pid]) => pid)
    const below = pids.filter(([, parent]) => sessions.includes(parent)).map(([pid]) => pid)
    for (const pid of [child.pid, ...sessions, ...below]) kill(pid)
    child = undefined
  }
  await start()
  const options = [
    `IdentityFile=${userKey}`,
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=no',
    `UserKnownHostsFile=${join(folder, 'known')}`,
    'LogLevel=ERROR',
  ]
  const close = (): void => {
    stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { port, user: userInfo().username, folder, options, stop, start, close }
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

async function untilListening(port: number): Promise<void> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.unref()
      setTimeout(() => socket.destroy(), 100)
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('sshd does not listen')
}
