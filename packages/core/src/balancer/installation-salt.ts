import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurable } from '../state/index.js'

/** One salt per installation of a topology, kept with its state, so that hashes of two days can be compared. In memory where there is no state folder. */
export function installationSalt(stateDir: string | undefined): Uint8Array {
  if (stateDir === undefined) return randomBytes(32)
  const path = join(stateDir, 'salt')
  if (!existsSync(path)) writeFileDurable(path, randomBytes(32).toString('hex'))
  return Buffer.from(readFileSync(path, 'utf8').trim(), 'hex')
}
