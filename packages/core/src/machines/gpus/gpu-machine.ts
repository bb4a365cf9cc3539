import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asOrdinary } from '../../base/index.js'
import { messageOf } from '../../errors/index.js'
import { onPath } from '../on-path.js'

/** How one run of a tool ended. */
export interface ToolRun {
  /** Null when a signal ended it or it was not started. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Why there is no answer. `hung`: it was killed after its time. `too-long`: it was killed for what it printed. */
  readonly failure?: 'missing' | 'hung' | 'too-long' | 'unstartable'
  readonly detail?: string
}

/** What the search for accelerators may ask of a machine, this one or another. Nothing here throws. */
export interface GpuMachine {
  readonly platform: string
  /** Runs a tool by its name, found as a shell would; never two runs of one tool at once. */
  run(tool: string, args: readonly string[]): Promise<ToolRun>
  /** Undefined where it cannot be read. */
  readText(path: string): Promise<string | undefined>
  /** Names in a folder; none where it cannot be read. */
  list(path: string): Promise<readonly string[]>
}

export interface LocalMachineOptions {
  /** PATH is read from here. */
  readonly env: NodeJS.ProcessEnv
  readonly platform?: string
  /** Stands for `/` where files are read, for tests. */
  readonly root?: string
  /** Longest run of one tool. */
  readonly timeoutMs?: number
  /** Looked into after PATH. */
  readonly folders?: readonly string[]
}

const TIMEOUT_MS = 5_000
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024
/** Where tools stand although PATH does not say so: WSL, containers, ROCm, Windows under WSL. */
export const TOOL_FOLDERS = [
  '/usr/bin',
  '/usr/lib/wsl/lib',
  '/usr/local/nvidia/bin',
  '/opt/rocm/bin',
  '/usr/sbin',
  '/mnt/c/Windows/System32',
] as const
const TOOL_ENV = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'LD_LIBRARY_PATH', 'ROCM_PATH'] as const

/** This machine. A tool that hangs is killed; one that cannot even be killed (a stuck driver) is not started a second time. */
export function localMachine(options: LocalMachineOptions): GpuMachine {
  const { env, platform = process.platform, root = '/', timeoutMs = TIMEOUT_MS, folders = TOOL_FOLDERS } = options
  const turns = new Map<string, Promise<ToolRun>>()
  const stuck = new Map<string, ChildProcess>()
  const once = async (tool: string, args: readonly string[]): Promise<ToolRun> => {
    const left = stuck.get(tool)
    if (left !== undefined && isRunning(left)) return failed('hung', `an earlier call still hangs (pid ${left.pid})`)
    const path =
      (await onPath(tool, env['PATH'])) ?? (await onPath(tool, folders.join(':'))) ?? (await onPath(`${tool}.exe`, folders.join(':')))
    if (path === undefined) return failed('missing', `${tool} is not installed`)
    return runOnce({ path, args, env: toolEnv(env), timeoutMs, onStuck: (child) => stuck.set(tool, child) })
  }
  return {
    platform,
    run(tool, args) {
      const turn = (turns.get(tool) ?? Promise.resolve()).then(() => once(tool, args))
      turns.set(tool, turn)
      return turn
    },
    readText: (path) => readFile(join(root, path), 'utf8').catch(() => undefined),
    list: (path) => readdir(join(root, path)).catch(() => []),
  }
}

interface OneRun {
  readonly path: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly timeoutMs: number
  readonly onStuck: (child: ChildProcess) => void
}

function runOnce({ path, args, env, timeoutMs, onStuck }: OneRun): Promise<ToolRun> {
  return new Promise((resolve) => {
    let child: ChildProcess
    try {
      // In a group of its own: a wrapper script's children are killed with it.
      child = asOrdinary(() => spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true }))
    } catch (error) {
      return resolve(failed('unstartable', messageOf(error)))
    }
    const texts = { stdout: '', stderr: '' }
    let bytes = 0
    let over = false
    const settle = (run: ToolRun): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      resolve(run)
    }
    const give = (failure: 'hung' | 'too-long', detail: string): void => {
      killGroup(child)
      onStuck(child)
      // What cannot be killed must not keep this process alive or waiting.
      child.stdout?.destroy()
      child.stderr?.destroy()
      child.unref()
      settle({ code: null, ...texts, failure, detail })
    }
    const timer = setTimeout(() => give('hung', `no answer within ${timeoutMs / 1000} s`), timeoutMs)
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (part: string) => {
        bytes += part.length
        if (bytes > MAX_OUTPUT_BYTES) give('too-long', `printed more than ${MAX_OUTPUT_BYTES / 1024 / 1024} MiB`)
        else texts[name] += part
      })
    }
    child.once('error', (error) => settle(failed('unstartable', messageOf(error))))
    child.once('close', (code) => settle({ code, ...texts }))
  })
}

function failed(failure: NonNullable<ToolRun['failure']>, detail: string): ToolRun {
  return { code: null, stdout: '', stderr: '', failure, detail }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

/** English messages, and nothing of the user's secrets. */
function toolEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(TOOL_ENV.map((name) => [name, env[name]]).filter(([, value]) => value !== undefined)),
    LC_ALL: 'C',
    LANG: 'C',
  }
}
