import type { DeskWord } from './words.js'

/** A request that waits for leave to be tried again. */
export interface Asking {
  readonly word: Extract<DeskWord, { type: 'ask' }>
  readonly desk: number
  /** Monotonic. */
  readonly sinceMs: number
}

interface Escort {
  /** Undefined: it is over, or needs its place no longer. */
  readonly fingerprint: string | undefined
  readonly desk: number
  readonly ticket: number
  /** Others may come then, if it is over. */
  readonly soonestMs: number
  readonly untilMs: number
}

interface EscortTime {
  readonly nowMs: number
  /** The node is its own so long, or until it has content. */
  readonly forMs: number
  /** The next one comes so much later, whatever became of it: a crash that takes one of the two as long as one before it does not take both so long. */
  readonly apartMs: number
}

/** Who is led to which node alone: one suspect at a node at a time, and of one body one copy. */
export class Escorts {
  private readonly byNode = new Map<string, Escort>()

  /** The first of these nodes where no other suspect is; undefined: it has to wait. */
  lead({ word, desk }: Asking, nodes: readonly string[], time: EscortTime): string | undefined {
    const { fingerprint } = word.suspect
    for (const escort of this.byNode.values()) if (escort.fingerprint === fingerprint) return undefined
    const node = nodes.find((id) => !this.byNode.has(id))
    if (node !== undefined)
      this.byNode.set(node, {
        fingerprint,
        desk,
        ticket: word.ticket,
        soonestMs: time.nowMs + time.apartMs,
        untilMs: time.nowMs + time.forMs,
      })
    return node
  }

  done(desk: number, ticket: number): void {
    for (const [node, escort] of this.byNode) if (escort.desk === desk && escort.ticket === ticket) this.over(node, escort)
  }

  deskGone(desk: number): void {
    for (const [node, escort] of this.byNode) if (escort.desk === desk) this.over(node, escort)
  }

  /** What has taken its time makes room. */
  expire(nowMs: number): void {
    for (const [node, { untilMs }] of this.byNode) if (untilMs <= nowMs) this.byNode.delete(node)
  }

  private over(node: string, escort: Escort): void {
    this.byNode.set(node, { ...escort, fingerprint: undefined, untilMs: Math.min(escort.untilMs, escort.soonestMs) })
  }
}
