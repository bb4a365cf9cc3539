import { messageOf } from '../../errors/index.js'
import type { PoolPlan } from '../../topology/index.js'
import type { RevisionStore } from './revision-store.js'
import type { StoredRevision } from './stored-revision.js'
import { contentHashOf, launchHashOf, toldContent, type WeightsContext } from './weights.js'

export interface SlowLearnerOptions {
  readonly store: RevisionStore
  readonly weights: WeightsContext
  /** Throws where there is none. */
  readonly pool: (name: string) => PoolPlan
}

/**
 * Learns of revisions what was not known when they got their number: their weights, where those came later; how they are launched; what all bytes of their
 * weights come to. One at a time.
 */
export class SlowLearner {
  private readonly queue: { readonly pool: string; readonly revision: string }[] = []
  private readonly abort = new AbortController()
  private isBusy = false

  constructor(private readonly options: SlowLearnerOptions) {}

  /** What is known of it already is not learned again. */
  learn(pool: string, revision: string): void {
    if (this.abort.signal.aborted || this.queue.some((each) => each.pool === pool && each.revision === revision)) return
    this.queue.push({ pool, revision })
    if (!this.isBusy) void this.work()
  }

  stop(): void {
    this.queue.length = 0
    this.abort.abort()
  }

  private async work(): Promise<void> {
    this.isBusy = true
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      try {
        await this.one(next.pool, next.revision)
      } catch (error) {
        this.options.weights.log.info('revisions.not_learned', { ...next, error: messageOf(error) })
      }
    }
    this.isBusy = false
  }

  private async one(pool: string, revision: string): Promise<void> {
    const { store, weights } = this.options
    const plan = this.options.pool(pool)
    const first = store.find(pool, revision)
    if (first.launchHash === null) {
      const launchHash = await launchHashOf(plan, first.plan, weights)
      if (launchHash !== null) store.learn(pool, revision, { launchHash })
    }
    const content = first.content ?? (await this.learnContent(first, plan))
    if (first.contentHash !== null || content === null || this.abort.signal.aborted) return
    const contentHash = await contentHashOf(plan, first.plan, weights, this.abort.signal)
    if (contentHash !== null && !this.abort.signal.aborted) store.learn(pool, revision, { contentHash })
  }

  private async learnContent({ revision, contentUnknown, plan: group }: StoredRevision, pool: PoolPlan): Promise<string | null> {
    const { store, weights } = this.options
    const { content, unknown } = await toldContent(pool, group, weights)
    if (content !== null) store.learn(pool.name, revision, { content })
    else if (unknown !== null && unknown !== contentUnknown) store.learn(pool.name, revision, { contentUnknown: unknown })
    return content
  }
}
