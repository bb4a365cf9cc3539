import type { DeskWord } from './words.js'

/** A request that waits for leave to be tried again. */
export interface Asking {
  readonly word: Extract<DeskWord, { type: 'ask' }>
  readonly desk: number
  /** Monotonic. */
  readonly sinceMs: number
  /** How long the node had its body that went away last: what ended a node had mostly just come. */
  readonly atNodeMs: number
}

interface Escort {
  readonly fingerprint: string
  readonly desk: number
  readonly ticket: number
  readonly untilMs: number
}

/** Who is led to which node alone: one suspect at a node at a time, and of one body one copy. */
export class Escorts {
  private readonly byNode = new Map<string, Escort>()

  get size(): number {
    return this.byNode.size
  }

  /** The first of these nodes where no other suspect is; undefined: it has to wait. */
  lead({ word, desk }: Asking, nodes: readonly string[], untilMs: number): string | undefined {
    const { fingerprint } = word.suspect
    for (const escort of this.byNode.values()) if (escort.fingerprint === fingerprint) return undefined
    const node = nodes.find((id) => !this.byNode.has(id))
    if (node !== undefined) this.byNode.set(node, { fingerprint, desk, ticket: word.ticket, untilMs })
    return node
  }

  done(desk: number, ticket: number): void {
    for (const [node, escort] of this.byNode) if (escort.desk === desk && escort.ticket === ticket) this.byNode.delete(node)
  }

  deskGone(desk: number): void {
    for (const [node, escort] of this.byNode) if (escort.desk === desk) this.byNode.delete(node)
  }

  /** What has taken its time makes room. */
  expire(nowMs: number): void {
    for (const [node, { untilMs }] of this.byNode) if (untilMs <= nowMs) this.byNode.delete(node)
  }
}
