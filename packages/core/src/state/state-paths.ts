import { createHash } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { LbError } from '../errors/index.js'

/** Where one topology keeps its running things (gone after a reboot) and its lasting ones. */
export interface StatePaths {
  /** Private to the user: socket, lock, boot files. */
  readonly runtimeDir: string
  /** Survives a reboot: state file, logs. */
  readonly stateDir: string
  readonly socketPath: string
  readonly lockPath: string
  readonly stateFile: string
  readonly logDir: string
}

/** Shortest limit of sun_path among the systems that we support (macOS: 104 with the final zero). */
const LONGEST_SOCKET_PATH = 100

/** Paths of the topology called `name`: XDG folders where they are set, else a private folder under the temp folder and `~/.local/state`. */
export function statePaths(name: string, env: NodeJS.ProcessEnv = process.env): StatePaths {
  const runtimeDir = join(runtimeRoot(env), name)
  const stateDir = join(stateRoot(env), name)
  return {
    runtimeDir,
    stateDir,
    socketPath: socketPathOf(runtimeDir),
    lockPath: join(runtimeDir, 'lock'),
    stateFile: join(stateDir, 'state.json'),
    logDir: join(stateDir, 'logs'),
  }
}

/** Names of the topologies that have left a state file: running ones, and what a killed balancer left. */
export function listTopologies(env: NodeJS.ProcessEnv = process.env): string[] {
  const root = stateRoot(env)
  if (!existsSync(root)) return []
  return readdirSync(root).filter((name) => existsSync(join(root, name, 'state.json')))
}

/** Folder of all topologies' lasting state. */
export function stateRoot(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['HOME'] ?? homedir()
  return join(absolute(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state'), 'plimsoll')
}

function runtimeRoot(env: NodeJS.ProcessEnv): string {
  const given = absolute(env['XDG_RUNTIME_DIR'])
  return given !== undefined && existsSync(given) ? join(given, 'plimsoll') : privateFolder()
}

/** Relative XDG paths must be ignored: XDG Base Directory Specification. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') === true ? path : undefined
}

function socketPathOf(runtimeDir: string): string {
  const path = join(runtimeDir, 'control.sock')
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path
  return join(privateFolder(), `${createHash('sha256').update(path).digest('hex').slice(0, 16)}.sock`)
}

/** A folder under the temp folder that only this user can enter; refuses one that somebody else put there. */
function privateFolder(): string {
  const uid = userInfo().uid
  const path = join(tmpdir(), `plimsoll-${uid}`)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const found = lstatSync(path)
  if (!found.isDirectory() || found.uid !== uid) {
    throw new LbError(`${path} belongs to somebody else`, {
      code: 'LB_UNSAFE_FOLDER',
      source: 'operator',
      hint: 'set XDG_RUNTIME_DIR to a folder of your own',
    })
  }
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700)
  return path
}
