import type { JudgeSample } from './judge-sample.js'

/** The first requests of a new node touch its memory, compile its kernels and fill its caches. */
const least = 8
/** A node that computes more than others for ever is not cold: its times count from here on. */
const most = 64
/** What a node may have to compute for a request, as a multiple of what the old ones have. */
const colder = Math.log(1.5)
/** The work that every request takes, as so many tokens. */
const baseTokens = 128
/** Requests that tell how cold a node is. */
const recent = 16

interface Warming {
  served: number
  readonly computed: number[]
  /** Epoch; undefined: it is still cold. */
  warmAtMs: number | undefined
}

/**
 * Whether a new node is still cold: while its caches fill, every request there waits behind prompts that old nodes need not compute, its own being as long as any.
 * It is warm once it computes about as much for a request as the old ones; what began before that has no times.
 */
export class WarmUp {
  private readonly nodes = new Map<string, Warming>()
  private readonly old: number[] = []

  /** Of each sample in turn. */
  isOf({ side, node, computedTokens, startedAtMs, endedAtMs }: JudgeSample): boolean {
    if (side === 'baseline') {
      if (computedTokens !== null) push(this.old, workOf(computedTokens), recent * 4)
      return false
    }
    if (node === null) return false
    const warming = this.nodes.get(node) ?? { served: 0, computed: [], warmAtMs: undefined }
    this.nodes.set(node, warming)
    if (warming.warmAtMs !== undefined) return (startedAtMs ?? Infinity) < warming.warmAtMs
    warming.served += 1
    if (computedTokens !== null) push(warming.computed, workOf(computedTokens), recent)
    if (warming.served >= least && !this.isCold(warming)) warming.warmAtMs = endedAtMs ?? startedAtMs ?? 0
    return true
  }

  private isCold({ served, computed }: Warming): boolean {
    return served < most && this.old.length > 0 && computed.length > 0 && mean(computed) > colder + mean(this.old)
  }
}

/** As a logarithm: few prompts are so long that a plain mean of some would be theirs alone, and a warm node look cold by chance. */
function workOf(computedTokens: number): number {
  return Math.log(baseTokens + computedTokens)
}

function push(list: number[], value: number, length: number): void {
  list.push(value)
  if (list.length > length) list.shift()
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
