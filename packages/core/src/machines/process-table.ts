import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { promisify } from '../base/index.js'

/** One living process, as the operating system tells it. */
export interface ProcessRow {
  readonly pid: number
  readonly parentPid: number
  readonly groupId: number
  /** Opaque; equal only for the same life of the pid. */
  readonly startTime: string
}

const run = promisify(execFile)
/** `lstart` is local time: language and time zone are fixed, or another shell would see another identity. */
const PS_ARGS = ['-axo', 'pid=,ppid=,pgid=,state=,lstart=']

/** All living processes: from /proc on Linux, from `ps` elsewhere. Zombies are left out: they hold nothing. */
export async function readProcessTable(): Promise<ProcessRow[]> {
  if (process.platform !== 'linux') return parsePs((await run('ps', PS_ARGS, { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } })).stdout)
  return readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? (readProcRow(Number(entry)) ?? []) : []))
}

/** One process, or undefined when there is none with this pid. */
export async function readProcess(pid: number): Promise<ProcessRow | undefined> {
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined
  if (process.platform === 'linux') return readProcRow(pid)
  return (await readProcessTable()).find((row) => row.pid === pid)
}

/** Of these processes, the ones that still live the same life. */
export async function stillLiving(rows: readonly ProcessRow[]): Promise<ProcessRow[]> {
  if (rows.length === 0) return []
  const now = process.platform === 'linux' ? rows.flatMap((row) => readProcRow(row.pid) ?? []) : await readProcessTable()
  const lives = new Map(now.map((row) => [row.pid, row.startTime]))
  return rows.filter((row) => lives.get(row.pid) === row.startTime)
}

/** Fields of /proc/PID/stat after the command, which may itself hold spaces and brackets: proc(5). */
function readProcRow(pid: number): ProcessRow | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parentPid, groupId] = fields
  if (state === 'Z' || state === 'X') return undefined
  return { pid, parentPid: Number(parentPid), groupId: Number(groupId), startTime: fields[19] ?? '' }
}

/** Lines of `ps -axo pid=,ppid=,pgid=,state=,lstart=`. */
export function parsePs(text: string): ProcessRow[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line)
    if (match === null || match[4]?.startsWith('Z') === true) return []
    return { pid: Number(match[1]), parentPid: Number(match[2]), groupId: Number(match[3]), startTime: match[5] ?? '' }
  })
}

/** Pids of all descendants of a process, nearest first. */
export function descendantsOf(pid: number, table: readonly ProcessRow[]): ProcessRow[] {
  const found: ProcessRow[] = []
  const queue = [pid]
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const row of table) {
      if (row.parentPid !== parent || found.includes(row)) continue
      found.push(row)
      queue.push(row.pid)
    }
  }
  return found
}
