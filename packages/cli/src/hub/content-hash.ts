import { createHash } from 'node:crypto'
import type { HubFile } from './repository-files.js'

/** Over names and hashes: the same content has the same hash, wherever it lies and in whatever order it came. */
export function contentHashOf(files: readonly HubFile[]): string {
  const lines = files.map(({ path, sha256, gitSha1, bytes }) => `${path} ${sha256 ?? gitSha1 ?? bytes}\n`).sort()
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`
}
