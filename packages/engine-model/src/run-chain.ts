interface RunsOfRequest {
  readonly promptRuns: readonly { readonly id: number; readonly tokens: number }[]
  readonly promptTokens: number
  readonly outputTokens: number
  readonly answerId?: number
}

/** Hashes of the blocks that runs cover. A block belongs to the run that holds its last token; what comes before that run is in its chain. */
export function runHashes(request: RunsOfRequest, blockTokens: number): number[] {
  const { promptRuns, promptTokens, outputTokens, answerId } = request
  const hashes: number[] = []
  let chain = 0
  let end = 0
  const append = (id: number, tokens: number) => {
    chain = mix(chain, id)
    const before = hashes.length
    end += tokens
    for (let index = before; index < Math.floor(end / blockTokens); index++) hashes.push(mix(chain, index - before + 1))
    chain = mix(chain, tokens)
  }
  for (const { id, tokens } of promptRuns) append(id, tokens)
  if (end > promptTokens) throw new RangeError(`runs of ${end} tokens in a prompt of ${promptTokens}`)
  if (answerId !== undefined && end === promptTokens) append(answerId, outputTokens)
  return hashes
}

/** Folds a whole number of up to 53 bits into a chain; never 0. */
function mix(chain: number, value: number): number {
  let low = Math.imul((chain >>> 0) ^ value, 0x9e3779b1)
  let high = Math.imul((chain / 0x100000000) ^ (value / 0x100000000) ^ low, 0x85ebca6b)
  low = Math.imul(low ^ (low >>> 15) ^ high, 0xc2b2ae35)
  high = Math.imul(high ^ (high >>> 13) ^ low, 0x27d4eb2f)
  low ^= low >>> 16
  high ^= high >>> 15
  return (high >>> 11) * 0x100000000 + (low >>> 0) || 1
}
