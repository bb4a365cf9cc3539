import type { RequestRecord } from '../contracts/index.js'
import type { GroupPlan, ScalePlan } from '../topology/index.js'
import { GroupSight } from './group-sight.js'
import { nameOfLearned, type LearnedBook } from './learned.js'
import { ScaleMemory } from './policy/index.js'
import { StartTimes } from './start-times.js'

/** What is known of one group by having watched it, and its way into the next balancer. */
export class GroupMind {
  readonly sight = new GroupSight()
  memory = new ScaleMemory()
  starts = new StartTimes()
  /** Names what it was learned of. */
  private of: string | undefined
  private hasNews = false

  constructor(
    private readonly key: string,
    private readonly plan: ScalePlan,
    private readonly book: LearnedBook,
  ) {}

  settled(record: RequestRecord, nowMs: number): void {
    this.hasNews = true
    this.sight.settled(record, nowMs)
  }

  /** The group as it runs now: another model bears another load. */
  turnTo(group: GroupPlan): void {
    const of = nameOfLearned(group, this.plan)
    if (of === this.of) return
    if (this.of !== undefined) {
      this.memory = new ScaleMemory()
      this.starts = new StartTimes()
    }
    this.of = of
    const known = this.book.recall(this.key, of)
    if (known === undefined) return
    const { memory, sight, starts } = known.learned
    this.memory.recall(Object(memory) as object, known.ageMs)
    this.sight.recall(Object(sight) as object)
    this.starts.recall(starts)
  }

  /** Keeps it for the next one. True where there is anything new. */
  keep(): boolean {
    const { hasNews, of, memory, sight, starts } = this
    this.hasNews = false
    if (!hasNews || of === undefined) return false
    this.book.keep(this.key, of, { memory: memory.kept(), sight: sight.kept(), starts: starts.kept() })
    return true
  }
}
