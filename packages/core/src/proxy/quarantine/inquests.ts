import type { Suspect } from './words.js'

/** How the process of a life ended; `unknown`: by itself or by somebody. */
export type LifeEnd = 'crash' | 'killed' | 'unknown'

/** A body that was at a node when it went away. */
export interface Present {
  readonly suspect: Suspect
  readonly progress: number
  /** Epoch. */
  readonly sentAtMs: number
  /** Until its path heard of the end, which may be late. */
  readonly atNodeMs: number
  /** Monotonic. */
  readonly brokeAtMs: number
}

/** What is known of one node that went away. */
export interface Inquest {
  /** Each end has its own. */
  readonly id: string
  readonly node: string
  readonly life: string
  readonly present: Map<string, Present>
  readonly openedAtMs: number
  /** lb launched it; found out when somebody asks. */
  isOurs?: boolean
  /** Whether it is still waited for those that were there; undefined: it never was. */
  isGathering?: boolean
  /** Nobody had a request there any more when that was over. */
  isEmpty?: boolean
  how: LifeEnd | undefined
  endedAtMs: number
  /** Epoch: when somebody first heard of it. */
  goneAtMs: number
  /** Epoch: when the last path heard of it. */
  lastHeardMs: number
  /** Who was there has been weighed. */
  judged: boolean
  /** All paths are being heard, and it will be judged then. */
  isHearing: boolean
}

/** Connections that broke so long before or after the end of their node broke for its sake; engines may free their memory for seconds before they are gone. */
const RELATED_MS = 10_000
const MOST = 256

/** Nodes that went away lately, with the bodies that they had; the oldest is forgotten first. */
export class Inquests {
  private readonly open = new Map<string, Inquest>()
  private count = 0

  of(life: string): Inquest | undefined {
    return this.open.get(life)
  }

  /** Whether the node has gone away since. */
  wentAway(node: string, sinceMs: number): boolean {
    for (const inquest of this.open.values())
      if (inquest.node === node && Math.max(inquest.openedAtMs, inquest.endedAtMs) >= sinceMs) return true
    return false
  }

  /** Those that the body was at and that are not judged yet. */
  *openFor(fingerprint: string): Iterable<Inquest> {
    for (const inquest of this.open.values()) if (!inquest.judged && inquest.present.has(fingerprint)) yield inquest
  }

  /** A connection broke: opens an inquest, or joins the one of the same end. */
  join(life: string, node: string, present: Present): Inquest {
    const inquest = this.current(life, node, present.brokeAtMs)
    inquest.present.set(present.suspect.fingerprint, present)
    const heardAtMs = present.sentAtMs + present.atNodeMs
    inquest.goneAtMs = Math.min(inquest.goneAtMs, heardAtMs)
    inquest.lastHeardMs = Math.max(inquest.lastHeardMs, heardAtMs)
    return inquest
  }

  /** The node's process has ended. Undefined where that was told before. */
  close(life: string, node: string, end: { readonly how: LifeEnd; readonly atMs: number; readonly epochMs: number }): Inquest | undefined {
    const inquest = this.current(life, node, end.atMs)
    if (inquest.how !== undefined) return undefined
    inquest.how = end.how
    inquest.endedAtMs = end.atMs
    inquest.goneAtMs = Math.min(inquest.goneAtMs, end.epochMs)
    for (const [fingerprint, { brokeAtMs }] of inquest.present) if (end.atMs - brokeAtMs > RELATED_MS) inquest.present.delete(fingerprint)
    return inquest
  }

  /** A node that lb did not launch keeps its name when it comes back: what breaks there much later is another end. */
  private current(life: string, node: string, nowMs: number): Inquest {
    const known = this.open.get(life)
    if (known !== undefined && nowMs - (known.how === undefined ? this.lastBreakMs(known) : known.endedAtMs) <= RELATED_MS) return known
    const id = `${life} ${(this.count += 1)}`
    const fresh: Inquest = {
      id,
      node,
      life,
      present: new Map(),
      openedAtMs: nowMs,
      how: undefined,
      endedAtMs: 0,
      goneAtMs: Infinity,
      lastHeardMs: -Infinity,
      judged: false,
      isHearing: false,
    }
    this.open.delete(life)
    this.open.set(life, fresh)
    for (const oldest of this.open.keys()) {
      if (this.open.size <= MOST) break
      this.open.delete(oldest)
    }
    return fresh
  }

  private lastBreakMs({ present, openedAtMs }: Inquest): number {
    let lastMs = openedAtMs
    for (const { brokeAtMs } of present.values()) lastMs = Math.max(lastMs, brokeAtMs)
    return lastMs
  }
}

/** How long the node had the body: paths hear of one end at different moments, and what counts is the first. */
export function timeAt({ goneAtMs }: Inquest, { sentAtMs, atNodeMs }: Present): number {
  const untilGoneMs = goneAtMs - sentAtMs
  return untilGoneMs < 0 ? atNodeMs : Math.min(untilGoneMs, atNodeMs)
}
