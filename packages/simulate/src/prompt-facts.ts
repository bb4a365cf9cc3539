import { tenantOf, type Face, type RequestFacts } from '@plimsoll/core/routing'
import type { PromptRun, WorkloadRequest } from './workload.js'

/** Bytes of a request's body for each prompt token: English text in common tokenizers. */
const BYTES_PER_TOKEN = 4
/** As the gateway: no prompt has more hashes. */
const MOST_HASHES = 2_048
const TWO_32 = 4_294_967_296

/** Whose answers are alike in length. */
export type Tenant = ReturnType<typeof tenantOf>

/** What the balancer makes of a prompt. */
export interface PromptView {
  readonly expectOutput: (tenant: Tenant) => number
  /** 0: nothing is known of prefixes. */
  readonly mostHashes?: number
  readonly sloTtftMs?: number | undefined
}

/** What the balancer would know of a workload's request; each run of its prompt is a block. */
export class PromptFacts implements RequestFacts {
  readonly face: Face = 'openai-chat'
  readonly model = 'model'
  readonly stream = true
  readonly bodyBytes: number
  readonly promptTokens: number
  readonly outputTokens: number
  readonly tenant: Tenant
  readonly prefixHashes: Float64Array
  readonly session: string | undefined
  readonly client: string
  /** Stands for who asks: a session comes from one place. Absent: nobody knows. */
  declare readonly address?: string
  readonly sloTtftMs: number | undefined
  /** Tokens that the first so many runs cover, from one run on. */
  private readonly coveredTokens: number[] = []
  readonly prompt: readonly PromptRun[]

  constructor(
    readonly id: string,
    request: WorkloadRequest,
    { expectOutput, mostHashes = MOST_HASHES, sloTtftMs }: PromptView,
  ) {
    const { prompt } = request
    this.prompt = prompt
    const blocks = Math.min(mostHashes, prompt.length)
    this.prefixHashes = new Float64Array(blocks)
    this.promptTokens = chain(prompt, this.prefixHashes, this.coveredTokens)
    this.bodyBytes = BYTES_PER_TOKEN * this.promptTokens
    this.tenant = tenantOf(request.tenant, this.prefixHashes, '')
    this.outputTokens = expectOutput(this.tenant)
    this.session = request.session
    this.client = request.tenant ?? request.session ?? 'client'
    this.sloTtftMs = sloTtftMs
    const address = request.session ?? request.tenant
    if (address !== undefined) this.address = address
  }

  prefixTokens(blocks: number): number {
    return this.coveredTokens[Math.min(blocks, this.coveredTokens.length) - 1] ?? 0
  }
}

/** Chains the runs' ids and lengths into hashes below 2^52; returns the tokens of all of them. */
function chain(prompt: readonly PromptRun[], hashes: Float64Array, covered: number[]): number {
  let tokens = 0
  let low = 0x811c9dc5
  let high = 0x9e3779b9
  for (let at = 0; at < prompt.length; at++) {
    const run = prompt[at]
    if (run === undefined) break
    tokens += run.tokens
    if (at >= hashes.length) continue
    low = Math.imul(low ^ run.id, 0x01000193)
    low = Math.imul(low ^ (low >>> 15) ^ run.tokens, 0x85ebca6b)
    high = Math.imul(high ^ (run.id / TWO_32) ^ low, 0xc2b2ae35)
    high ^= high >>> 13
    hashes[at] = (high >>> 12) * TWO_32 + (low >>> 0)
    covered.push(tokens)
  }
  return tokens
}
