import type { Usage } from '../contracts/index.js'
import { scriptOf, type Script } from './script-of.js'

/** Bytes of a JSON body per prompt token before any usage was seen, in common tokenizers. */
const FIRST_BYTES_PER_TOKEN: Readonly<Record<Script, number>> = { latin: 4, code: 3.2, 'two-byte': 4.5, wide: 3.4, escaped: 5.5 }
const FIRST_OUTPUT_TOKENS = 128
/** Least weight of one more measurement; the first ones weigh more. */
const LEARNING = 0.05
/** Tenants that are remembered of one pool, the latest first. */
const MOST_TENANTS = 4_096
const REFRESH_EVERY = 8
/** So many answers of all tenants together weigh as much as those of one. */
const PRIOR_ANSWERS = 4
/** A ratio of its own for bodies of this size, once so many were measured. */
const LEAST_MEASURED = 4
const ALL_SIZES = 0

class Mean {
  count = 0

  constructor(public value: number) {}

  add(value: number): void {
    this.count += 1
    this.value += Math.max(LEARNING, 1 / (this.count + 1)) * (value - this.value)
  }
}

/** What one prompt was estimated at, and which measurement it belongs to. */
export interface PromptEstimate {
  readonly tokens: number
  readonly script: Script
}

/** Whose answers are alike: the name of a key, else the first block of the prompt. */
export type Tenant = string | number

/** One request whose tokens an engine has counted. */
export interface CountedRequest {
  readonly pool: string
  readonly bodyBytes: number
  /** Undefined for bodies that are no text. */
  readonly script: Script | undefined
  readonly tenant: Tenant
  readonly usage: Usage
}

class PoolMemory {
  readonly outputTokens = new Mean(FIRST_OUTPUT_TOKENS)
  /** In order of last use. */
  private readonly tenants = new Map<Tenant, Mean>()
  /** Of all sizes first, then of each. */
  private readonly bytesPerToken = new Map<Script, (Mean | undefined)[]>()

  /** Small bodies are half JSON and template, long ones nearly all text: each size has a ratio of its own, as soon as it is known. */
  ratio(script: Script, bodyBytes: number): number {
    const means = this.bytesPerToken.get(script)
    const sized = means?.[sizeOf(bodyBytes)]
    if (sized !== undefined && sized.count >= LEAST_MEASURED) return sized.value
    return means?.[ALL_SIZES]?.value ?? FIRST_BYTES_PER_TOKEN[script]
  }

  learnRatio(script: Script, bodyBytes: number, promptTokens: number): void {
    let means = this.bytesPerToken.get(script)
    if (means === undefined) this.bytesPerToken.set(script, (means = []))
    for (const size of [ALL_SIZES, sizeOf(bodyBytes)])
      (means[size] ??= new Mean(FIRST_BYTES_PER_TOKEN[script])).add(bodyBytes / promptTokens)
  }

  outputOf(tenant: Tenant): number {
    const own = this.tenants.get(tenant)
    if (own === undefined) return this.outputTokens.value
    const weight = Math.min(own.count, 4 * PRIOR_ANSWERS)
    return (weight * own.value + PRIOR_ANSWERS * this.outputTokens.value) / (weight + PRIOR_ANSWERS)
  }

  learnOutput(tenant: Tenant, tokens: number): void {
    this.outputTokens.add(tokens)
    const known = this.tenants.get(tenant)
    const own = known ?? new Mean(tokens)
    own.add(tokens)
    // To the young end now and then: doing it each time would cost more than all the rest.
    if (known !== undefined && own.count % REFRESH_EVERY !== 0) return
    this.tenants.delete(tenant)
    this.tenants.set(tenant, own)
    if (this.tenants.size <= MOST_TENANTS) return
    const [oldest] = this.tenants.keys()
    if (oldest !== undefined) this.tenants.delete(oldest)
  }
}

/** How many tokens a request will be, learned from the usage of earlier ones: the prompt by pool, script and size of the body, the answer by pool and tenant. */
export class TokenEstimates {
  private readonly pools = new Map<string, PoolMemory>()

  prompt(pool: string, body: Uint8Array): PromptEstimate {
    const script = scriptOf(body)
    return { tokens: Math.max(1, Math.round(body.byteLength / this.memoryOf(pool).ratio(script, body.byteLength))), script }
  }

  output(pool: string, tenant: Tenant, maxTokens: number | undefined): number {
    return Math.round(Math.min(maxTokens ?? Number.POSITIVE_INFINITY, this.memoryOf(pool).outputOf(tenant)))
  }

  learn({ pool, bodyBytes, script, tenant, usage }: CountedRequest): void {
    const memory = this.memoryOf(pool)
    if (usage.promptTokens > 0 && script !== undefined && bodyBytes > 0) memory.learnRatio(script, bodyBytes, usage.promptTokens)
    if (usage.completionTokens > 0) memory.learnOutput(tenant, usage.completionTokens)
  }

  /** Forgets pools that a reload took away. */
  retain(pools: ReadonlySet<string>): void {
    for (const name of this.pools.keys()) if (!pools.has(name)) this.pools.delete(name)
  }

  private memoryOf(pool: string): PoolMemory {
    let memory = this.pools.get(pool)
    if (memory === undefined) this.pools.set(pool, (memory = new PoolMemory()))
    return memory
  }
}

/** Sizes are alike within a factor of four. */
function sizeOf(bodyBytes: number): number {
  return 1 + ((32 - Math.clz32(bodyBytes)) >> 1)
}

/** Who asks, as far as answers are alike: the client where it has a name of its own, else whoever begins prompts in this way. */
export function tenantOf(client: string | undefined, prefixHashes: Float64Array, address: string): Tenant {
  return client ?? prefixHashes[0] ?? address
}
