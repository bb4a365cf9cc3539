import type { Gap } from '../insight/index.js'
import { OwnPace } from './own-pace.js'

export interface Slowness {
  /** How many times slower than it used to be under such a load. */
  readonly own: number
  /** The same of its typical equal. */
  readonly equals: number
  /** How many times slower than its typical equal has become. */
  readonly beside: number
}

interface Sample {
  readonly ratio: number
  readonly atMs: number
}

const KEPT = 256
/** Long enough that a hiccup does not fill it. */
const WINDOW_MS = 2_000
/** Where fewer came within the window it reaches further back, for a node that turns slow, and has much to compute, is measured seldom. */
const MOST_SAMPLES = 8
const LEAST_SAMPLES = 6
const FRESH_MS = 6_000
/** Of its equals, which are asked less often where they are less loaded. */
const EQUALS_FRESH_MS = 30_000
/** So many of its gaps may be good ones: a low quantile is slow only when nearly all are. */
const QUANTILE = 0.3
const DUE_MS = 250

class NodePace {
  readonly own = new OwnPace()
  samples: Sample[] = []
  judgedMs = -Infinity

  add(sample: Sample): void {
    this.samples.push(sample)
    if (this.samples.length > KEPT) this.samples.shift()
  }

  since(fromMs: number): Sample[] {
    return this.samples.filter(({ atMs }) => atMs >= fromMs)
  }
}

/** How fast each node gives tokens beside itself of earlier, and beside what became of its equals: load on all is nobody's fault, and a slow machine none either. */
export class PaceBook {
  private readonly nodes = new Map<number, NodePace>()
  private nowMs = 0

  learn(index: number, gap: Gap, atMs: number): void {
    this.nowMs = atMs
    if (!Object.values(gap).every(Number.isFinite) || gap.msPerToken <= 0) return
    let node = this.nodes.get(index)
    if (node === undefined) this.nodes.set(index, (node = new NodePace()))
    const ratio = node.own.learn(gap, atMs)
    if (ratio !== undefined) node.add({ ratio, atMs })
  }

  /** Whether it is time to judge it again; true once. */
  isDue(index: number): boolean {
    const node = this.nodes.get(index)
    if (node === undefined || this.nowMs - node.judgedMs < DUE_MS) return false
    node.judgedMs = this.nowMs
    return true
  }

  /** Measures a node anew from here on, beside what it was before. */
  begin(index: number): void {
    const node = this.nodes.get(index)
    if (node !== undefined) node.samples = []
  }

  forget(index: number): void {
    this.nodes.delete(index)
  }

  /** How slow it was of late; undefined: not known yet. */
  ownOf(index: number): number | undefined {
    const fresh = this.nodes.get(index)?.since(this.nowMs - FRESH_MS) ?? []
    const late = fresh.filter(({ atMs }) => atMs >= this.nowMs - WINDOW_MS)
    const window = late.length < MOST_SAMPLES ? fresh.slice(-MOST_SAMPLES) : late
    const [first] = window
    if (first === undefined || window.length < LEAST_SAMPLES || this.nowMs - first.atMs < WINDOW_MS / 2) return undefined
    return quantile(window, QUANTILE)
  }

  /** The same beside its equals; undefined where none of them was measured of late. */
  besides(own: number, equals: Iterable<number>): Slowness | undefined {
    const medians: Sample[] = []
    for (const index of equals) {
      const fresh = this.nodes.get(index)?.since(this.nowMs - EQUALS_FRESH_MS) ?? []
      if (fresh.length > 0) medians.push({ ratio: quantile(fresh.slice(-LEAST_SAMPLES), 0.5), atMs: 0 })
    }
    if (medians.length === 0) return undefined
    const typical = quantile(medians, 0.5)
    return { own, equals: typical, beside: own / typical }
  }
}

function quantile(samples: readonly Sample[], share: number): number {
  const ratios = samples.map(({ ratio }) => ratio).toSorted((one, other) => one - other)
  return ratios[Math.floor((ratios.length - 1) * share)] ?? 1
}
