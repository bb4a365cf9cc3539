import { createHash } from 'node:crypto'
import type { Clock } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { GroupPlan, ScalePlan } from '../topology/index.js'
import type { KeptSight } from './group-sight.js'
import { KeyedBook } from './keyed-book.js'
import type { KeptMemory } from './policy/index.js'

/** What was learned of one group. */
export interface Learned {
  readonly memory: KeptMemory
  readonly sight: KeptSight
  /** How long its nodes took to start, in milliseconds. */
  readonly starts: readonly number[]
}

interface KeptLearned {
  /** Names what it was learned of: another model bears another load. */
  readonly of: string
  /** Epoch. */
  readonly atMs: number
  readonly learned: { readonly [Key in keyof Learned]?: unknown }
}

export interface LearnedBookOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly stateDir: string | undefined
}

/** What has been learned of each group, so that the next balancer need not begin anew. Nothing depends on it: what cannot be read or written is learned again. */
export class LearnedBook {
  private readonly book: KeyedBook<KeptLearned>
  private hasFailed = false

  constructor(private readonly options: LearnedBookOptions) {
    this.book = new KeyedBook(options.stateDir, 'scale-learned.json', isKept)
  }

  /** Undefined: nothing is known of it. The age is of what is told. */
  recall(key: string, of: string): { readonly learned: KeptLearned['learned']; readonly ageMs: number } | undefined {
    const kept = this.book.get(key)
    if (kept?.of !== of) return undefined
    return { learned: kept.learned, ageMs: Math.max(0, this.options.clock.epochMs() - kept.atMs) }
  }

  keep(key: string, of: string, learned: Learned): void {
    this.book.put(key, { of, atMs: this.options.clock.epochMs(), learned })
  }

  /** Only of these groups. */
  write(keys: ReadonlySet<string>): void {
    this.book.retain(keys)
    try {
      this.book.write()
      this.hasFailed = false
    } catch (error) {
      if (!this.hasFailed)
        this.options.log.warn('scale.not_kept', { error: messageOf(error), note: 'what one node bears is learned anew after a restart' })
      this.hasFailed = true
    }
  }
}

/** Names all that what a node bears depends on, as far as it is declared. */
export function nameOfLearned({ engine, model, host, launch }: GroupPlan, { target }: Pick<ScalePlan, 'target'>): string {
  const { model: weights, command, settings, env, gpus } = launch ?? {}
  const parts = { engine, model, host: host?.name, weights, command, settings, env, gpus, target }
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}

function isKept(value: unknown): value is KeptLearned {
  const { of, atMs, learned } = (value ?? {}) as { readonly [Key in keyof KeptLearned]?: unknown }
  return typeof of === 'string' && typeof atMs === 'number' && Number.isFinite(atMs) && typeof learned === 'object' && learned !== null
}
