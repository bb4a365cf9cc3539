import { open } from 'node:fs/promises'
import { messageOf } from '@plimsoll/core'
import { sanitize } from '../views/sanitize.js'
import type { LogTail } from './view-state.js'

const WINDOW_BYTES = 64 * 1024

/** The last lines of a node's log file, safe to print. A file that cannot be read says why instead. */
export async function readLogTail(nodeId: string, path: string | undefined, maxLines: number): Promise<LogTail> {
  if (path === undefined) return { nodeId, lines: [], problem: 'this node has no log file on this machine' }
  try {
    const text = await readEnd(path)
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    return { nodeId, lines: lines.slice(-maxLines).map((line) => sanitize(withoutColour(line.trimEnd()))) }
  } catch (error) {
    return { nodeId, lines: [], problem: sanitize(messageOf(error)) }
  }
}

async function readEnd(path: string): Promise<string> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const length = Math.min(size, WINDOW_BYTES)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
  return buffer.toString('utf8', 0, bytesRead)
}

/** Engines colour their logs even into files; the colours are dropped, whatever else is hidden in a line is shown. */
function withoutColour(line: string): string {
  // oxlint-disable-next-line no-control-regex
  return line.replace(/\u001b\[[\d;]*m/g, '').replaceAll('\t', '    ')
}
