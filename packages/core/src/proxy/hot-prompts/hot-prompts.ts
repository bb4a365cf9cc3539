import type { Clock, RandomSource } from '../../base/index.js'
import type { RequestRecord } from '../../contracts/index.js'
import type { Admitted } from '../admit.js'
import type { HotPrompt, KeptPrompt } from './hot-prompt.js'
import { Looks } from './looks.js'
import { PrefixDemand } from './prefix-demand.js'
import { PromptShelf } from './prompt-shelf.js'

export interface HotPromptsOptions {
  readonly clock: Clock
  readonly random: RandomSource
  /** One was kept, for a store in another thread. */
  readonly onKept?: ((kept: KeptPrompt) => void) | undefined
}

interface PoolPrompts {
  readonly looks: Looks
  readonly demand: PrefixDemand
  readonly shelf: PromptShelf
}

/** What is asked most in each pool, for nodes that are new there. Only prompts that were answered well are kept: one that makes engines crash never is. */
export class HotPrompts {
  private readonly pools = new Map<string, PoolPrompts>()

  constructor(private readonly options: HotPromptsOptions) {}

  /** The pools that have nodes to be warmed; those of all others are forgotten. */
  use(pools: ReadonlySet<string>): void {
    for (const pool of this.pools.keys()) if (!pools.has(pool)) this.pools.delete(pool)
    for (const pool of pools) if (!this.pools.has(pool)) this.pools.set(pool, emptyPool(this.options.random))
  }

  /** A request was answered. Its body may be lost after this call. */
  answered(request: Admitted): void {
    const { pool, face, scan, facts } = request
    const seen = this.look(pool.name, face, facts.prefixHashes)
    if (seen === undefined || seen.hot === 0) return
    const offered = { hashes: facts.prefixHashes, hot: seen.hot, bytes: scan.body.byteLength, keep: () => copyOf(request) }
    const kept = seen.shelf.offer(offered, seen.atMs)
    if (kept !== undefined) this.options.onKept?.(kept)
  }

  /** The same of a request in another thread, whose body stayed there. */
  counted({ pool, face, outcome, prefixHashes }: RequestRecord): void {
    if (pool !== null && outcome === 'ok') this.look(pool, face, prefixHashes)
  }

  /** Another thread has kept it. */
  take({ prompt, hot, worth }: KeptPrompt): void {
    const { pool, hashes, body } = prompt
    const offered = { hashes, hot, worth, bytes: body.byteLength, keep: () => prompt }
    this.pools.get(pool)?.shelf.offer(offered, this.options.clock.nowMs())
  }

  /** Those that bring most beside those before them, first. */
  hottest(pool: string, suits: (prompt: HotPrompt) => boolean): readonly HotPrompt[] {
    return this.pools.get(pool)?.shelf.hottest(this.options.clock.nowMs(), suits) ?? []
  }

  /** Undefined: this one passes. */
  private look(pool: string, face: RequestRecord['face'], hashes: Float64Array): Seen | undefined {
    const prompts = this.pools.get(pool)
    // Embeddings are computed anew each time, and sound is no text.
    if (prompts === undefined || (face !== 'openai-chat' && face !== 'openai-completions')) return undefined
    const atMs = this.options.clock.nowMs()
    const weight = prompts.looks.take(atMs)
    return weight === 0 ? undefined : { hot: prompts.demand.look(hashes, weight, atMs), shelf: prompts.shelf, atMs }
  }
}

/** One that was looked at. */
interface Seen {
  readonly hot: number
  readonly shelf: PromptShelf
  readonly atMs: number
}

function emptyPool(random: RandomSource): PoolPrompts {
  const demand = new PrefixDemand()
  return { looks: new Looks(random), demand, shelf: new PromptShelf(demand) }
}

function copyOf({ pool, face, scan, facts, neededTokens, requiredLabels }: Admitted): HotPrompt {
  const { model, prefixHashes: hashes, promptTokens } = facts
  return { pool: pool.name, face, model, body: new Uint8Array(scan.body), hashes, promptTokens, neededTokens, requiredLabels }
}
