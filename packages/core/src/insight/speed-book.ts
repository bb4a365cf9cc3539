import { SLOWNESS, SLOWNESS_AT, type LeaseRows } from './lease-rows.js'

/** Time of one step in ms = base + sequence * decoding requests + kvToken * their tokens. Figures of an 8B model on an A100 (design/routing.md): only nodes of one pool are compared, so a wrong scale harms nothing. */
const STEP_BASE_MS = 10.5
const STEP_SEQUENCE_MS = 0.03
const STEP_KV_TOKEN_MS = 8.2e-5

const SAMPLES = 32
/** Fewer say nothing. */
const LEAST_SAMPLES = 8
/** Nodes that differ by less over all samples are the same. */
const DEAD_BAND = 1.5
/** Most that is believed either way. */
const MOST = 20
/** What nobody measured again for so long is believed less and less: a node that got well must be tried. */
const FRESH_MS = 30_000
const FADING_MS = 30_000

/** Time between tokens of one node in which no prompt was computed there, and what it had to do meanwhile. */
export interface Gap {
  readonly msPerToken: number
  /** Requests in flight there. */
  readonly decoding: number
  /** What each step reads. */
  readonly kvTokens: number
}

/** What a step takes that many requests decode in. */
export function expectedStepMs(decoding: number, kvTokens: number): number {
  return STEP_BASE_MS + STEP_SEQUENCE_MS * decoding + STEP_KV_TOKEN_MS * kvTokens
}

/** Slowness that was measured so long ago. */
export function fadedSlowness(slowness: number, ageMs: number): number {
  return ageMs <= FRESH_MS ? slowness : 1 + (slowness - 1) * 0.5 ** ((ageMs - FRESH_MS) / FADING_MS)
}

/** What few samples show must differ by more: the error of a median falls with the root of their number. After a node's first breaths, a machine that was busy for a moment makes it no slow node. */
function deadBandOf(samples: number): number {
  return DEAD_BAND ** Math.sqrt(SAMPLES / Math.min(samples, SAMPLES))
}

class Gaps {
  median = 1
  count = 0
  private readonly ratios = new Float64Array(SAMPLES)

  constructor(readonly kin: number) {}

  add(ratio: number): void {
    this.ratios[this.count % SAMPLES] = ratio
    this.count += 1
  }

  measure(): void {
    this.median = medianOf(this.ratios.slice(0, Math.min(this.count, SAMPLES)))
  }
}

/**
 * How slow each node is beside the others of its pool, from gaps between tokens in which no prompt was computed: the median of its last 32 against the
 * median node. Never from the time to the first token, which says how much work there was. One for all threads, in the first.
 */
export class SpeedBook {
  private readonly nodes = new Map<number, Gaps>()

  constructor(private readonly rows: LeaseRows) {}

  learn(index: number, gap: Gap, { kin, atMs }: { readonly kin: number; readonly atMs: number }): void {
    // Over what a step should have taken.
    const ratio = gap.msPerToken / expectedStepMs(gap.decoding, gap.kvTokens)
    if (!Number.isFinite(ratio) || ratio <= 0) return
    let gaps = this.nodes.get(index)
    if (gaps === undefined || gaps.kin !== kin) this.nodes.set(index, (gaps = new Gaps(kin)))
    gaps.add(ratio)
    if (gaps.count % LEAST_SAMPLES !== 0) return
    gaps.measure()
    this.judge(index, gaps, atMs)
  }

  /** Another process is behind the node, or none. */
  forget(index: number): void {
    this.nodes.delete(index)
    this.rows.tell(index, SLOWNESS, 1)
  }

  private judge(index: number, gaps: Gaps, atMs: number): void {
    const medians: number[] = []
    for (const other of this.nodes.values()) if (other.kin === gaps.kin && other.count >= LEAST_SAMPLES) medians.push(other.median)
    const ratio = gaps.median / medianOf(Float64Array.from(medians))
    const band = deadBandOf(gaps.count)
    const slowness = ratio > 1 / band && ratio < band ? 1 : Math.min(MOST, Math.max(1 / MOST, ratio))
    this.rows.tell(index, SLOWNESS_AT, atMs)
    this.rows.tell(index, SLOWNESS, slowness)
  }
}

/** The lower one of two in the middle: of a pair of nodes the faster is the typical one. Sorts what it is given. */
function medianOf(values: Float64Array): number {
  values.sort()
  return values[(values.length - 1) >> 1] ?? 1
}
