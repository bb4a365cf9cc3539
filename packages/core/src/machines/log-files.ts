import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** A descriptor in O_APPEND mode, readable by its owner only; creates the folder. */
export function openAppendLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return openSync(path, 'a', 0o600)
}

/**
 * Copy and truncate: the writer keeps its descriptor, O_APPEND makes it go on at the start. `path.1` is the newest copy; `keep` copies stay.
 * Lines written between copy and truncate are lost; there is no way around it without the writer's help.
 */
export function rotateIfLarger(path: string, limits: { readonly maxBytes: number; readonly keep: number }): boolean {
  if (!existsSync(path) || statSync(path).size <= limits.maxBytes) return false
  rmSync(`${path}.${limits.keep}`, { force: true })
  for (let index = limits.keep - 1; index >= 1; index -= 1)
    if (existsSync(`${path}.${index}`)) renameSync(`${path}.${index}`, `${path}.${index + 1}`)
  if (limits.keep > 0) copyFileSync(path, `${path}.1`)
  truncateSync(path, 0)
  return true
}

const TAIL_BYTES = 65_536

/** Bytes of a file; 0 when there is none. */
export function fileSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** The end of a file, from at most its last 64 KiB and not before `fromByte`, unless the file was cut since. Empty when it cannot be read. */
export function tailText(path: string, fromByte = 0): string {
  try {
    const file = openSync(path, 'r')
    try {
      const size = fstatSync(file).size
      const start = Math.max(size - TAIL_BYTES, fromByte <= size ? fromByte : 0)
      const buffer = Buffer.alloc(size - start)
      return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.byteLength, start))
    } finally {
      closeSync(file)
    }
  } catch {
    return ''
  }
}

/** The last lines of a file, oldest first, from at most its last 64 KiB; none when there is no such file. */
export function tailFile(path: string, lines: number, fromByte = 0): string[] {
  const all = tailText(path, fromByte).split('\n')
  if (all.at(-1) === '') all.pop()
  return all.slice(-lines)
}
