import type { RosterNode } from '../contracts/index.js'

/** Longest pause that a node's word is taken for. */
const MOST_MS = 60_000
/** Where it does not say how long. */
const DEFAULT_MS = 1_000

/** Nodes that asked to be left alone for a while (429), as this thread heard it. */
export class Cooldowns {
  private readonly untilMs = new Map<string, number>()

  get isEmpty(): boolean {
    return this.untilMs.size === 0
  }

  /** `retryAfter`: the header, in seconds; a date or nonsense counts as none. */
  begin(node: RosterNode, retryAfter: string | undefined, nowMs: number): void {
    const seconds = Number(retryAfter)
    const askedMs = retryAfter !== undefined && Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : DEFAULT_MS
    this.untilMs.set(node.connectionKey, nowMs + Math.min(MOST_MS, askedMs))
  }

  /** Milliseconds that are left; 0: none. */
  leftMs(node: RosterNode, nowMs: number): number {
    const untilMs = this.untilMs.get(node.connectionKey)
    if (untilMs === undefined) return 0
    if (untilMs > nowMs) return untilMs - nowMs
    this.untilMs.delete(node.connectionKey)
    return 0
  }
}
