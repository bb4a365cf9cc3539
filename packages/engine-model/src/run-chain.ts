/** A stretch of a prompt: an equal id behind equal runs is equal text, as far as the shorter one goes. */
export interface VirtualRun {
  /** Whole, 0 to 2^53. */
  readonly id: number
  /** At least 1. */
  readonly tokens: number
}

/** The blocks of a request whose content others may share: stretch i is `keys[i]` and reaches to block `ends[i]`, not included. */
export interface BlockChain {
  /** Chained: an equal key means equal text up to here, as far as the shorter one goes. */
  readonly keys: readonly number[]
  readonly ends: readonly number[]
}

interface RunsOfRequest {
  readonly promptRuns: readonly VirtualRun[]
  readonly promptTokens: number
  readonly outputTokens: number
  readonly answerId?: number
}

/** A block belongs to the run that holds its last token; all that comes before that run is in its key. */
export function chainOfRuns({ promptRuns, promptTokens, outputTokens, answerId }: RunsOfRequest, blockTokens: number): BlockChain {
  const keys: number[] = []
  const ends: number[] = []
  let text = 0
  let end = 0
  let blocks = 0
  const append = (id: number, tokens: number) => {
    end += tokens
    const key = chained(text, id)
    text = chained(key, tokens)
    const reach = Math.floor(end / blockTokens)
    if (reach === blocks) return
    blocks = reach
    keys.push(key)
    ends.push(reach)
  }
  for (const { id, tokens } of promptRuns) append(id, tokens)
  if (end > promptTokens) throw new RangeError(`runs of ${end} tokens do not fit into a prompt of ${promptTokens}`)
  if (answerId !== undefined && end === promptTokens) append(answerId, outputTokens)
  return { keys, ends }
}

/** Each block is a stretch of its own. */
export function chainOfHashes(blockHashes: readonly number[]): BlockChain {
  return { keys: blockHashes, ends: blockHashes.map((_, index) => index + 1) }
}

/** Folds a whole number of up to 53 bits into a chain, in two lanes of 32 and 21 bits. */
export function chained(chain: number, value: number): number {
  let low = Math.imul((chain >>> 0) ^ value, 0x9e3779b1)
  let high = Math.imul((chain / 0x100000000) ^ (value / 0x100000000) ^ low, 0x85ebca6b)
  low = Math.imul(low ^ (low >>> 15) ^ high, 0xc2b2ae35)
  high = Math.imul(high ^ (high >>> 13) ^ low, 0x27d4eb2f)
  low ^= low >>> 16
  high ^= high >>> 15
  return (high >>> 11) * 0x100000000 + (low >>> 0)
}
