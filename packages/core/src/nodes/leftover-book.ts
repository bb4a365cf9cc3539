import type { RecordedNode } from '../state/index.js'
import type { LeftEngine } from './leftovers.js'

/** Engines that an earlier balancer left, until it is decided about each: taken over, or ended. */
export class LeftoverBook {
  private readonly open: Map<string, LeftEngine>

  constructor(engines: readonly LeftEngine[] = []) {
    this.open = new Map(engines.map((engine) => [engine.id, engine]))
  }

  of(nodeId: string): LeftEngine | undefined {
    return this.open.get(nodeId)
  }

  /** It is taken over or ended: the state file need not name it any more on its own. */
  settle(nodeId: string): void {
    this.open.delete(nodeId)
  }

  /** What the state file must go on naming, or a kill now would leak it. */
  records(): readonly RecordedNode[] {
    return [...this.open.values()]
  }

  /** Those of no node that is wanted. */
  unwanted(wanted: ReadonlySet<string>): readonly LeftEngine[] {
    return [...this.open.values()].filter((engine) => !wanted.has(engine.id))
  }
}
