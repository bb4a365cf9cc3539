import { rounded } from './percentiles.js'
import type { LoadSeries } from './simulation-result.js'

/** Moments that a series holds at most; then every second one goes, and the distance doubles. */
const MOST_MOMENTS = 240

/** How full a node is at one moment. */
export interface NodeLoad {
  readonly running: number
  readonly waiting: number
  readonly kvUsedRatio: number
}

/** The load of each node over time, coarser the longer it takes. */
export class LoadRecorder {
  private readonly series: { readonly [Field in keyof NodeLoad]: number[][] }
  private moments = 0

  constructor(
    nodes: number,
    private intervalMs: number,
  ) {
    const lists = (): number[][] => Array.from({ length: nodes }, () => [])
    this.series = { running: lists(), waiting: lists(), kvUsedRatio: lists() }
  }

  /** When the next moment is due. */
  get nextMs(): number {
    return this.moments * this.intervalMs
  }

  record(loadOf: (node: number) => NodeLoad): void {
    if (this.moments === MOST_MOMENTS) this.thin()
    const { running, waiting, kvUsedRatio } = this.series
    for (const [node, list] of running.entries()) {
      const load = loadOf(node)
      list.push(load.running)
      waiting[node]?.push(load.waiting)
      kvUsedRatio[node]?.push(rounded(load.kvUsedRatio))
    }
    this.moments++
  }

  get result(): LoadSeries {
    return { intervalMs: this.intervalMs, ...this.series }
  }

  private thin(): void {
    for (const lists of Object.values(this.series))
      for (const list of lists) list.splice(0, list.length, ...list.filter((_value, at) => at % 2 === 0))
    this.moments /= 2
    this.intervalMs *= 2
  }
}
