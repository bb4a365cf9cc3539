/** How many nodes take requests, from every change of state that the balancer tells: nothing falls between two looks. */
import type { ControlClient } from './control-client.js'

export class CapacityWatch {
  private readonly states = new Map<string, string>()
  private lowest = Infinity
  private isArmed = false

  constructor(
    control: ControlClient,
    /** As many as there are when all is well; after a kill of the balancer it counts from when they are back. */
    private readonly full: number,
  ) {
    control.follow(
      ({ kind, node, to }) => {
        if (kind !== 'node' || node === undefined || to === undefined) return
        this.states.set(node, to)
        this.look()
      },
      () => {
        this.states.clear()
        this.isArmed = false
      },
    )
  }

  get ready(): number {
    return [...this.states.values()].filter((state) => state === 'ready').length
  }

  /** The fewest since the last `begin`. */
  get fewest(): number {
    return Math.min(this.lowest, this.ready)
  }

  begin(): void {
    this.lowest = this.ready
  }

  private look(): void {
    const { ready } = this
    this.isArmed ||= ready >= this.full
    if (this.isArmed) this.lowest = Math.min(this.lowest, ready)
  }
}
