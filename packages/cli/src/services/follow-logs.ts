import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogSource } from './node-logs.js'

export interface LogLine {
  readonly label: string
  readonly text: string
}

export interface FollowOptions {
  /** Lines of each file to begin with. */
  readonly lines: number
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly onLine: (line: LogLine) => void
}

const LOOK_EVERY_MS = 200
const TAIL_BYTES = 262_144
const LONGEST_LINE = 65_536

/** The last lines of each file, then, when following, each new one until the signal. Files may be truncated by rotation, and come later. */
export async function followLogs(sources: readonly LogSource[], options: FollowOptions): Promise<void> {
  const readers = sources.map((source) => createReader(source, options))
  for (const reader of readers) reader.tail()
  while (options.follow && !options.signal.aborted) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: options.signal }).catch(() => undefined)
    for (const reader of readers) reader.more()
  }
}

function createReader({ label, path }: LogSource, { lines, onLine }: FollowOptions): { tail(): void; more(): void } {
  let offset = 0
  let rest = ''
  const take = (text: string): string[] => {
    // A progress bar overwrites its line with carriage returns: each of its states is a line here.
    const parts = `${rest}${text}`.split(/\r\n|\n|\r/)
    rest = parts.pop() ?? ''
    if (rest.length > LONGEST_LINE) parts.push(rest.slice(0, LONGEST_LINE))
    if (rest.length > LONGEST_LINE) rest = ''
    return parts
  }
  const say = (texts: readonly string[]): void => {
    for (const text of texts) onLine({ label, text })
  }
  return {
    tail() {
      const end = readFrom(path, { from: 'end', bytes: TAIL_BYTES })
      offset = end.next
      const found = take(end.text)
      say(lines === 0 ? [] : found.slice(-lines))
    },
    more() {
      const part = readFrom(path, { from: offset, bytes: TAIL_BYTES })
      if (part.truncated) rest = ''
      offset = part.next
      say(take(part.text))
    },
  }
}

interface Part {
  readonly text: string
  readonly next: number
  readonly truncated: boolean
}

/** At most `bytes` bytes from an offset, or the file's last ones. A multi-byte character that was cut shows as a replacement mark, once. */
function readFrom(path: string, { from, bytes }: { from: number | 'end'; bytes: number }): Part {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return { text: '', next: 0, truncated: false }
  }
  try {
    const { size } = fstatSync(file)
    const truncated = from !== 'end' && size < from
    const start = from === 'end' ? Math.max(0, size - bytes) : truncated ? 0 : from
    const buffer = Buffer.alloc(Math.min(bytes, size - start))
    const read = readSync(file, buffer, 0, buffer.byteLength, start)
    return { text: buffer.toString('utf8', 0, read), next: start + read, truncated }
  } finally {
    closeSync(file)
  }
}
