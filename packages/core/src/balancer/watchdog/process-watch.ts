import { glanceAt } from '../../machines/index.js'
import type { NodeSigns } from '../../health/index.js'

/** A tenth of a processor. */
const WORKING_TICKS_PER_S = 10
const GLANCE_EVERY_MS = 1_000

interface Seen {
  readonly pid: number
  readonly atMs: number
  readonly ticks: number
  does: NodeSigns['process']
}

/** What the processes of doubted nodes do; a look costs some file reads, so that only those are looked at, once a second. */
export class ProcessWatch {
  private readonly seen = new Map<string, Seen>()

  does(nodeId: string, pid: number, nowMs: number): NodeSigns['process'] {
    const before = this.seen.get(nodeId)
    if (before?.pid === pid && nowMs - before.atMs < GLANCE_EVERY_MS) return before.does
    const glance = glanceAt(pid)
    if (glance === undefined) return undefined
    const { state, ticks } = glance
    const last = before?.pid === pid ? before : undefined
    const perSecond = last === undefined ? undefined : ((ticks - last.ticks) * 1_000) / Math.max(1, nowMs - last.atMs)
    const computes = perSecond === undefined ? undefined : perSecond >= WORKING_TICKS_PER_S ? 'works' : 'idle'
    const does = state === 'T' || state === 't' ? 'stopped' : computes
    this.seen.set(nodeId, { pid, atMs: nowMs, ticks, does })
    return does
  }

  forget(nodeId: string): void {
    this.seen.delete(nodeId)
  }
}
