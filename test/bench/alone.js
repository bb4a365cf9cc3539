/** Two runs at once would measure each other: the first one holds a file with its process id. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const path = join(tmpdir(), 'plimsoll-bench.pid')

/** @returns {boolean} false when another run is under way */
export function claimMachine() {
  if (existsSync(path) && existsSync(`/proc/${readFileSync(path, 'utf8')}`)) return false
  writeFileSync(path, String(process.pid))
  return true
}

export function releaseMachine() {
  rmSync(path, { force: true })
}
