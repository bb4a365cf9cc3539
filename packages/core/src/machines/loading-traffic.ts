import { diskBytesOf } from './process-facts.js'
import { descendantsOf, readProcessTable } from './process-table.js'

/** Bytes that a process and all that it started have moved from and to disks: how a silent download or a silent load of weights shows. 0 outside Linux. */
export async function diskTrafficOf(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 0
  const own = diskBytesOf(pid)
  return descendantsOf(pid, await readProcessTable()).reduce((sum, row) => sum + diskBytesOf(row.pid), own)
}
