import { readdirSync } from 'node:fs'
import { ownerOf, variableOf } from './process-facts.js'
import { readProcess, type ProcessRow } from './process-table.js'

/** The variable that marks an engine and all that it starts. */
export const MARK_VARIABLE = 'LB_NODE'

export interface MarkedProcess {
  readonly row: ProcessRow
  readonly mark: string
}

/**
 * Living processes of this user whose environment carries a mark that fits: how a grandchild that called setsid is found, and an engine that nobody wrote
 * down. Never this process itself. Linux only; elsewhere none.
 */
export async function findMarked(fits: (mark: string) => boolean): Promise<MarkedProcess[]> {
  if (process.platform !== 'linux') return []
  const pids = readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) && Number(entry) !== process.pid ? [Number(entry)] : []))
  const found: MarkedProcess[] = []
  for (const pid of pids) {
    const mark = variableOf(pid, MARK_VARIABLE)
    if (typeof mark !== 'string' || !fits(mark) || (await ownerOf(pid)) !== process.getuid?.()) continue
    const row = await readProcess(pid)
    if (row !== undefined) found.push({ row, mark })
  }
  return found
}

/** Those that carry exactly this mark. */
export async function markedWith(mark: string): Promise<ProcessRow[]> {
  if (mark === '') return []
  return (await findMarked((each) => each === mark)).map(({ row }) => row)
}
