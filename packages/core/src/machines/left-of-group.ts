import { bootIdOf, type ProcessIdentity } from './identity.js'
import { hasLostEnvironment, ownerOf } from './process-facts.js'
import { readProcessTable, type ProcessRow } from './process-table.js'

/**
 * What a dead leader has left in its process group and has written its own title over its environment (Python's setproctitle does): there no mark may be left to read.
 * While such a process lives, the system gives the leader's pid to nobody else, so the group is the leader's own. A member whose environment can be read is left
 * to its mark: without one it is a stranger's. Linux only; elsewhere none.
 */
export async function leftOfGroup(leader: ProcessIdentity): Promise<ProcessRow[]> {
  if (process.platform !== 'linux' || leader.pid < 2 || leader.bootId !== bootIdOf()) return []
  const table = await readProcessTable()
  if (table.some((row) => row.pid === leader.pid)) return []
  const members = table.filter((row) => row.groupId === leader.pid && Number(row.startTime) >= Number(leader.startTime))
  const found: ProcessRow[] = []
  for (const row of members) if (hasLostEnvironment(row.pid) && (await ownerOf(row.pid)) === process.getuid?.()) found.push(row)
  return found
}
