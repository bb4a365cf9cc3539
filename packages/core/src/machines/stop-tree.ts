import { setTimeout as sleep } from 'node:timers/promises'
import { isSameProcess, type ProcessIdentity } from './identity.js'
import { descendantsOf, markedWith, readProcess, readProcessTable, type ProcessRow } from './process-table.js'

export interface StopTreeOptions {
  /** The process that leads the tree and its process group. */
  readonly identity: ProcessIdentity
  /** Value of LB_NODE in the tree's environment. */
  readonly mark: string
  /** Signals to send to the group, each with the time to wait for its effect. */
  readonly steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[]
}

export type StopTreeResult = 'stopped' | 'forced' | 'stranger'

const POLL_MS = 20
const FORCE_WAIT_MS = 5_000

/**
 * Ends a process with all that it started: asks the group step by step, then kills group, descendants (listed before the first signal) and
 * marked processes. Sends nothing when the pid is somebody else's by now, except to processes that carry the mark.
 */
export async function stopTree(options: StopTreeOptions): Promise<StopTreeResult> {
  const leaderLives = await isSameProcess(options.identity)
  const listed = leaderLives ? descendantsOf(options.identity.pid, await readProcessTable()) : []
  const remaining = async (): Promise<ProcessRow[]> => living(await withLeader(options.identity, [...listed, ...markedWith(options.mark)]))
  if ((await remaining()).length === 0) return leaderLives ? 'stopped' : 'stranger'
  for (const step of options.steps) {
    await signalTree(options, await remaining(), step.signal)
    if (await goneWithin(step.waitMs, remaining)) return 'stopped'
  }
  await signalTree(options, await remaining(), 'SIGKILL')
  await goneWithin(FORCE_WAIT_MS, remaining)
  return 'forced'
}

async function withLeader(identity: ProcessIdentity, others: readonly ProcessRow[]): Promise<ProcessRow[]> {
  const leader = (await isSameProcess(identity)) ? await readProcess(identity.pid) : undefined
  const rows = new Map(others.map((row) => [row.pid, row]))
  if (leader !== undefined) rows.set(leader.pid, leader)
  return [...rows.values()]
}

/** Drops what has ended or whose pid has been given to another process since. */
async function living(rows: readonly ProcessRow[]): Promise<ProcessRow[]> {
  const checked = await Promise.all(rows.map(async (row) => ((await readProcess(row.pid))?.startTime === row.startTime ? row : undefined)))
  return checked.filter((row) => row !== undefined)
}

async function signalTree(options: StopTreeOptions, rows: readonly ProcessRow[], signal: NodeJS.Signals): Promise<void> {
  const leader = await readProcess(options.identity.pid)
  const leadsGroup = leader !== undefined && leader.groupId === leader.pid && (await isSameProcess(options.identity))
  if (leadsGroup) send(-options.identity.pid, signal)
  // Polite signals go to the group alone: an engine stops its own workers in its own order.
  if (leadsGroup && signal !== 'SIGKILL') return
  for (const row of rows) send(row.pid, signal)
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Ended in the meantime, or not ours to signal.
  }
}

async function goneWithin(waitMs: number, remaining: () => Promise<ProcessRow[]>): Promise<boolean> {
  const deadlineMs = performance.now() + waitMs
  for (;;) {
    if ((await remaining()).length === 0) return true
    if (performance.now() >= deadlineMs) return false
    await sleep(POLL_MS)
  }
}
