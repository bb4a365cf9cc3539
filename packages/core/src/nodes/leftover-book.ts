import type { Logger } from '../contracts/index.js'
import type { RecordedNode } from '../state/index.js'
import { endLeftovers, type LeftEngine } from './leftovers.js'

/** Engines that an earlier balancer left, until it is decided about each: taken over, or ended. */
export class LeftoverBook {
  private readonly open: Map<string, LeftEngine>
  private readonly ending = new Map<string, Promise<void>>()

  constructor(
    engines: readonly LeftEngine[],
    private readonly log: Logger,
    /** What the state file should hold has changed. */
    private readonly onSettled: () => void,
  ) {
    this.open = new Map(engines.map((engine) => [engine.id, engine]))
  }

  /** The one that a node may take over. One that is being ended already is ended first. */
  async of(nodeId: string): Promise<LeftEngine | undefined> {
    await this.ending.get(nodeId)
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

  /** Ends those that no node will take over. */
  async endAllBut(wanted: ReadonlySet<string>): Promise<void> {
    await Promise.all([...this.open.values()].filter((engine) => !wanted.has(engine.id)).map((engine) => this.end(engine)))
  }

  private end(engine: LeftEngine): Promise<void> {
    const known = this.ending.get(engine.id)
    if (known !== undefined) return known
    this.log.warn('node.not_adopted', { node: engine.id, pid: engine.process.pid, why: 'no node of the topology takes it over' })
    const ended = this.endNow(engine)
    this.ending.set(engine.id, ended)
    return ended
  }

  private async endNow(engine: LeftEngine): Promise<void> {
    await endLeftovers({ engines: [engine], orphans: [], strangers: [] })
    this.settle(engine.id)
    this.ending.delete(engine.id)
    this.onSettled()
  }
}
