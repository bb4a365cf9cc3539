import type { RosterNode } from '../contracts/index.js'

/** Longest pause that a node's word is taken for. */
const MOST_MS = 60_000
/** Where it does not say how long. */
const DEFAULT_MS = 1_000
/** So many at once, and nobody speaks of the pause any more. */
const FORGOTTEN_AT = 64

interface Rest {
  untilMs: number
  /** So many requests at once may try it out when the pause is over. */
  width: number
  /** So many do. */
  trying: number
}

/** One request that tries out a node whose pause is over. */
export interface TryOut {
  /** The node took it: twice as many may come. */
  taken(): void
  /** It is not there any more. */
  ended(): void
}

/**
 * Nodes that asked to be left alone for a while (429), as this thread heard it. When the pause is over, one request tries the node out; each one that is
 * taken doubles how many may come at once, so that all who waited do not make it say the same again.
 */
export class Cooldowns {
  private readonly rests = new Map<string, Rest>()

  /** `onRoom`: a node may be asked by more requests than before. */
  constructor(private readonly onRoom: () => void = () => undefined) {}

  get isEmpty(): boolean {
    return this.rests.size === 0
  }

  /** `askedMs`: how long it wants; undefined where it does not say. */
  begin({ connectionKey }: RosterNode, askedMs: number | undefined, nowMs: number): void {
    const untilMs = nowMs + Math.min(MOST_MS, askedMs ?? DEFAULT_MS)
    const known = this.rests.get(connectionKey)
    if (known === undefined) this.rests.set(connectionKey, { untilMs, width: 1, trying: 0 })
    // Answers to what was sent before come later than the pause begins, and must not shorten it.
    else Object.assign(known, { untilMs: Math.max(known.untilMs, untilMs), width: 1 })
  }

  /** Milliseconds that are left; 0: none. */
  leftMs({ connectionKey }: RosterNode, nowMs: number): number {
    return Math.max(0, (this.rests.get(connectionKey)?.untilMs ?? 0) - nowMs)
  }

  /** Whether one more request may go there. */
  hasRoom({ connectionKey }: RosterNode, nowMs: number): boolean {
    const rest = this.rests.get(connectionKey)
    return rest === undefined || (rest.untilMs <= nowMs && rest.trying < rest.width)
  }

  /** A request goes there; undefined where nobody counts. */
  tryOut({ connectionKey }: RosterNode): TryOut | undefined {
    const rest = this.rests.get(connectionKey)
    if (rest === undefined) return undefined
    rest.trying += 1
    const since = rest.untilMs
    let over = false
    return {
      taken: () => {
        if (since !== rest.untilMs) return
        rest.width *= 2
        if (rest.width > FORGOTTEN_AT && this.rests.get(connectionKey) === rest) this.rests.delete(connectionKey)
        this.onRoom()
      },
      ended: () => {
        if (over) return
        over = true
        rest.trying -= 1
        this.onRoom()
      },
    }
  }

  /** Forgets lives that are over. */
  retain(nodes: readonly RosterNode[]): void {
    if (this.rests.size === 0) return
    const current = new Set(nodes.map(({ connectionKey }) => connectionKey))
    for (const key of this.rests.keys()) if (!current.has(key)) this.rests.delete(key)
  }
}
