import type { Usage } from '../contracts/index.js'

/** Bytes of a JSON body per prompt token before any usage was seen: English text in common tokenizers. */
const FIRST_BYTES_PER_TOKEN = 4
const FIRST_OUTPUT_TOKENS = 128
/** Weight of one more measurement. */
const LEARNING = 0.05

interface PoolMemory {
  bytesPerToken: number
  outputTokens: number
}

/** How many tokens a request will be, learned per pool from the usage of earlier ones. */
export class TokenEstimates {
  private readonly pools = new Map<string, PoolMemory>()

  prompt(pool: string, bodyBytes: number): number {
    return Math.max(1, Math.round(bodyBytes / this.memoryOf(pool).bytesPerToken))
  }

  output(pool: string, maxTokens: number | undefined): number {
    return Math.round(Math.min(maxTokens ?? Number.POSITIVE_INFINITY, this.memoryOf(pool).outputTokens))
  }

  learn(pool: string, bodyBytes: number, usage: Usage): void {
    const memory = this.memoryOf(pool)
    if (usage.promptTokens > 0) memory.bytesPerToken += LEARNING * (bodyBytes / usage.promptTokens - memory.bytesPerToken)
    if (usage.completionTokens > 0) memory.outputTokens += LEARNING * (usage.completionTokens - memory.outputTokens)
  }

  /** Forgets pools that a reload took away. */
  retain(pools: ReadonlySet<string>): void {
    for (const name of this.pools.keys()) if (!pools.has(name)) this.pools.delete(name)
  }

  private memoryOf(pool: string): PoolMemory {
    let memory = this.pools.get(pool)
    if (memory === undefined) this.pools.set(pool, (memory = { bytesPerToken: FIRST_BYTES_PER_TOKEN, outputTokens: FIRST_OUTPUT_TOKENS }))
    return memory
  }
}
