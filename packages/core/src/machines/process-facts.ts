import { execFile } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { promisify } from '../base/index.js'

const run = promisify(execFile)

/** The user id that a process runs as; undefined where it cannot be told. */
export async function ownerOf(pid: number): Promise<number | undefined> {
  const text =
    process.platform === 'linux' ? /^Uid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] : (await ps('uid=', pid)).trim() || undefined
  return text === undefined ? undefined : Number(text)
}

/** The words of its command line, joined by spaces; empty where it cannot be told. */
export async function commandLineOf(pid: number): Promise<string> {
  return process.platform === 'linux' ? read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() : (await ps('command=', pid)).trim()
}

/** The file that one of its descriptors points to. Linux only. */
export function openFileOf(pid: number, descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`)
  } catch {
    return undefined
  }
}

/**
 * The value of a variable in the environment that a process was started with. Null where it has none (a program may also have written over its own
 * environment), undefined where it cannot be read: other users' processes, and all of them outside Linux.
 */
export function variableOf(pid: number, name: string): string | null | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return undefined
  }
  const start = `${name}=`
  return (
    text
      .split('\0')
      .find((each) => each.startsWith(start))
      ?.slice(start.length) ?? null
  )
}

/** Whether a process has written its own title over the start of its environment, or has none: then a variable that is not there says nothing. Linux only. */
export function hasLostEnvironment(pid: number): boolean {
  try {
    return !/^[^=\0]+=/.test(readFileSync(`/proc/${pid}/environ`, 'utf8'))
  } catch {
    return false
  }
}

/** Bytes that a process has read from and written to disks, after proc_pid_io(5); 0 where it cannot be told. */
export function diskBytesOf(pid: number): number {
  const text = read(`/proc/${pid}/io`)
  return Number(/^read_bytes: (\d+)/m.exec(text)?.[1] ?? 0) + Number(/^write_bytes: (\d+)/m.exec(text)?.[1] ?? 0)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

async function ps(field: string, pid: number): Promise<string> {
  return run('ps', ['-o', field, '-p', String(pid)]).then(
    ({ stdout }) => stdout,
    () => '',
  )
}
