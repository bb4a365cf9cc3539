import type { NodeOutcome } from '../contracts/index.js'
import type { EjectSettings } from './judge-settings.js'

const SLICES = 10
/** A share of fewer says nothing. */
const LEAST_REQUESTS = 10

type Limits = Pick<EjectSettings, 'after' | 'share' | 'windowMs'>

/** Outcomes of one node's requests: failures in a row, and their share of late. */
export class FaultWindow {
  private inARow = 0
  private last = ''
  private readonly served = new Uint32Array(SLICES)
  private readonly failed = new Uint32Array(SLICES)
  /** The slice that was written last, counted from the beginning of time. */
  private slice = 0

  /** An outcome that counts; tells why the node should be taken out, where it should. */
  learn(kind: NodeOutcome['kind'], what: { readonly reason: string; readonly atMs: number; readonly limits: Limits }): string | undefined {
    const { limits, atMs, reason } = what
    this.moveTo(Math.floor((atMs * SLICES) / Math.max(SLICES, limits.windowMs)))
    const counts = kind === 'served' ? this.served : this.failed
    counts[this.slice % SLICES] = (counts[this.slice % SLICES] ?? 0) + 1
    this.inARow = kind === 'served' ? 0 : this.inARow + 1
    if (kind === 'served') return undefined
    this.last = reason
    return this.verdict(limits)
  }

  clear(): void {
    this.inARow = 0
    this.served.fill(0)
    this.failed.fill(0)
  }

  private verdict({ after, share, windowMs }: Limits): string | undefined {
    const last = `the last: ${this.last}`
    if (after > 0 && this.inARow >= after) return `${this.inARow} failures in a row; ${last}`
    const failed = sum(this.failed)
    const all = failed + sum(this.served)
    if (share === 0 || all < LEAST_REQUESTS || failed < share * all) return undefined
    return `${failed} of ${all} requests failed within ${windowMs / 1000} s; ${last}`
  }

  /** Empties the slices that were passed over. A clock that stands still or goes back changes nothing. */
  private moveTo(slice: number): void {
    const passed = Math.min(SLICES, slice - this.slice)
    for (let step = 1; step <= passed; step += 1) {
      this.served[(slice - passed + step) % SLICES] = 0
      this.failed[(slice - passed + step) % SLICES] = 0
    }
    this.slice = Math.max(this.slice, slice)
  }
}

function sum(counts: Uint32Array): number {
  return counts.reduce((total, count) => total + count, 0)
}
