import type { Roster } from '../contracts/index.js'

/** One process behind one node. */
export interface NodeLife {
  readonly id: string
  readonly pool: string
  readonly index: number
  readonly incarnation: number
}

/** Tells which nodes have left, or have another process behind their name, since it was last asked. */
export class NodeLives {
  private known = new Map<string, NodeLife>()

  gone({ nodes }: Roster): readonly NodeLife[] {
    const current = new Map(nodes.map(({ id, pool, index, incarnation }) => [id, { id, pool, index, incarnation }]))
    const gone = [...this.known.values()].filter((life) => {
      const now = current.get(life.id)
      return now?.incarnation !== life.incarnation || now.index !== life.index
    })
    this.known = current
    return gone
  }
}
