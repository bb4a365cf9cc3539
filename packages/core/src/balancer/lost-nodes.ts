import type { Roster } from '../contracts/index.js'

export interface LostNode {
  readonly connectionKey: string
  readonly lost: string
}

/** Tells which nodes have been given up since it was last asked: once for each ejection, so that whoever tries such a node later is left in peace. */
export class LostNodes {
  /** Connection key to the number of the ejection. */
  private known = new Map<string, number>()

  news({ nodes }: Roster): readonly LostNode[] {
    const current = new Map<string, number>()
    const news: LostNode[] = []
    for (const { connectionKey, lost, ejected = 0 } of nodes) {
      if (lost === undefined) continue
      current.set(connectionKey, ejected)
      if (this.known.get(connectionKey) !== ejected) news.push({ connectionKey, lost })
    }
    this.known = current
    return news
  }
}
