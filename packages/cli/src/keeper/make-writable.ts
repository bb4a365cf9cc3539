import { accessSync, constants, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LbError, messageOf } from '@plimsoll/core'

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left there',
  EDQUOT: 'its quota is used up',
  EROFS: 'it lies on a file system that is read-only',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  ENOTDIR: 'a part of its path is a file',
}

/** As much as the first state file and the first lines of a log take. */
const PROBE_BYTES = 16_384

/** Makes a folder of lb's own, or finds it, and tries to write there: what fails here would fail in the middle of a start. Throws LB_CANNOT_WRITE. */
export function makeWritable(folder: string, variable: string): void {
  const probe = join(folder, `.probe-${process.pid}`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    try {
      writeFileSync(probe, Buffer.alloc(PROBE_BYTES), { mode: 0o600 })
    } finally {
      rmSync(probe, { force: true })
    }
  } catch (cause) {
    const error = rootCause(folder, cause)
    throw new LbError(`lb cannot write to its folder ${folder}: ${WHY[error.code ?? ''] ?? messageOf(error)}`, {
      code: 'LB_CANNOT_WRITE',
      source: 'operator',
      hint: `make room or rights there, or name another place: ${variable}=PATH, for each lb command`,
      cause,
    })
  }
}

/** Where several folders are to be made, Node.js says of a file system that is read-only only that the last is not there. */
function rootCause(folder: string, error: unknown): NodeJS.ErrnoException {
  const given = error as NodeJS.ErrnoException
  if (given.code !== 'ENOENT') return given
  let above = dirname(folder)
  while (!existsSync(above)) above = dirname(above)
  try {
    accessSync(above, constants.W_OK)
    return given
  } catch (cause) {
    return cause as NodeJS.ErrnoException
  }
}
