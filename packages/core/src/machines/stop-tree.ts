import { setTimeout as sleep } from 'node:timers/promises'
import { isSameProcess, type ProcessIdentity } from './identity.js'
import { leftOfGroup } from './left-of-group.js'
import { markedWith } from './marks.js'
import { descendantsOf, readProcess, readProcessTable, stillLiving, type ProcessRow } from './process-table.js'

export interface StopTreeOptions {
  /** The process that leads the tree and its process group. */
  readonly identity: ProcessIdentity
  /** Value of LB_NODE in the tree's environment. */
  readonly mark: string
  /** Signals to send to the group, each with the time to wait for its effect. */
  readonly steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[]
  /** Ends the waiting: what is left is killed at once. */
  readonly forced?: AbortSignal
}

export type StopTreeResult = 'stopped' | 'forced' | 'stranger'

const POLL_MS = 20
const FORCE_WAIT_MS = 5_000
/** How long what the leader leaves behind may take to end by itself: the orderly part is over. */
const ORPHANS_WAIT_MS = 1_000
/** Rounds of killing what the killed ones had started in their last moments. */
const KILL_ROUNDS = 3

/**
 * Ends a process with all that it started: asks the group step by step, then kills group, descendants (listed before the first signal) and
 * marked processes. Sends nothing when the pid is somebody else's by now, except to processes that carry the mark.
 */
export async function stopTree(options: StopTreeOptions): Promise<StopTreeResult> {
  const leaderLives = await isSameProcess(options.identity)
  const tree = new Tree(options, leaderLives ? await membersOf(options.identity.pid) : await leftOfGroup(options.identity))
  if ((await tree.remaining()).length === 0) return leaderLives ? 'stopped' : 'stranger'
  for (const step of options.steps) {
    if (options.forced?.aborted === true) break
    await signalTree(options.identity, await tree.remaining(), step.signal)
    if (await tree.goneWithin(step.waitMs, options.forced)) return 'stopped'
  }
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    await signalTree(options.identity, await tree.everything(), 'SIGKILL')
    if (await tree.goneWithin(FORCE_WAIT_MS / KILL_ROUNDS)) break
  }
  return 'forced'
}

/** The leader, its descendants, and members of its group whose parent has ended. */
async function membersOf(pid: number): Promise<ProcessRow[]> {
  const table = await readProcessTable()
  const members = [...table.filter((row) => row.pid === pid || row.groupId === pid), ...descendantsOf(pid, table)]
  return [...new Map(members.map((row) => [row.pid, row])).values()]
}

/** What is known of one tree. The search for marks reads every process's environment, so it runs only when nothing known is left. */
class Tree {
  constructor(
    private readonly named: { readonly identity: ProcessIdentity; readonly mark: string },
    private known: readonly ProcessRow[],
  ) {}

  async remaining(): Promise<readonly ProcessRow[]> {
    this.known = await stillLiving(this.known)
    if (this.known.length === 0) this.known = await markedWith(this.named.mark)
    return this.known
  }

  async everything(): Promise<readonly ProcessRow[]> {
    const rows = [...(await stillLiving(this.known)), ...(await markedWith(this.named.mark))]
    this.known = [...new Map(rows.map((row) => [row.pid, row])).values()]
    return this.known
  }

  async goneWithin(waitMs: number, forced?: AbortSignal): Promise<boolean> {
    let deadlineMs = performance.now() + waitMs
    let led = true
    for (;;) {
      const left = await this.remaining()
      if (left.length === 0) return true
      if (led && !left.some((row) => row.pid === this.named.identity.pid)) {
        led = false
        deadlineMs = Math.min(deadlineMs, performance.now() + ORPHANS_WAIT_MS)
      }
      if (performance.now() >= deadlineMs || forced?.aborted === true) return false
      await sleep(POLL_MS)
    }
  }
}

async function signalTree(identity: ProcessIdentity, rows: readonly ProcessRow[], signal: NodeJS.Signals): Promise<void> {
  const leader = (await isSameProcess(identity)) ? await readProcess(identity.pid) : undefined
  const leadsGroup = leader !== undefined && leader.groupId === leader.pid && leader.startTime === identity.startTime
  if (leadsGroup) send(-identity.pid, signal)
  // Polite signals go to the group alone: an engine stops its own workers in its own order.
  if (leadsGroup && signal !== 'SIGKILL') return
  for (const row of await stillLiving(rows)) send(row.pid, signal)
}

/** Pid 1 and its group are never ours; to the system, 0 and -1 mean our own group and everybody. */
function send(pid: number, signal: NodeJS.Signals): void {
  if (!Number.isSafeInteger(pid) || Math.abs(pid) <= 1) return
  try {
    process.kill(pid, signal)
  } catch {
    // Ended in the meantime, or not ours to signal.
  }
}
