import { join } from 'node:path'
import type { Logger } from '../../contracts/index.js'
import { LbError } from '../../errors/index.js'
import type { GroupPlan } from '../../topology/index.js'
import type { RevisionEntry } from '../rollout-desk.js'
import { readHistories, writeHistories, type PoolHistory } from './revision-file.js'
import { essenceHash, planOf, revisionHash, type StoredRevision } from './stored-revision.js'

/** Of one pool; those that run are kept whatever their number. */
const MOST_KEPT = 50

export interface RevisionStoreOptions {
  /** Where `revisions.json` lies; undefined: in memory only. */
  readonly stateDir: string | undefined
  readonly log: Logger
  /** Epoch. */
  readonly nowMs: () => number
  /** The groups that a pool runs now: their revisions are never dropped. */
  readonly running: (pool: string) => readonly GroupPlan[]
}

/** What is learned of a revision after it got its number. */
export type Learned = Partial<Pick<StoredRevision, 'content' | 'contentUnknown' | 'contentHash' | 'launchHash' | 'outcome'>>

/**
 * Every revision that pools have had, with all that it takes to launch it again. Each change is on the disk when its function returns; what the disk throws is
 * thrown on, and then nothing has changed.
 */
export class RevisionStore {
  private pools: ReadonlyMap<string, PoolHistory>

  constructor(private readonly options: RevisionStoreOptions) {
    const { path } = this
    const { pools, putAside } = path === undefined ? { pools: new Map<string, PoolHistory>() } : readHistories(path)
    this.pools = pools
    if (putAside !== undefined) options.log.warn('revisions.started_anew', { why: 'the history could not be read', putAside })
  }

  /**
   * The revision that a group is, by its declared name: the one that it was before where nothing differs, else a new one with the next number. A group that
   * says which revision it is (`revision`) is that one. `content` null: nobody can tell (yet); it then counts as the same.
   */
  note(pool: string, group: GroupPlan, content: string | null): StoredRevision {
    const plan = planOf(group)
    const history = this.historyOf(pool)
    const found = this.same(history, plan, { revision: group.revision, content })
    if (found !== undefined) return content === null || found.content !== null ? found : this.learn(pool, found.revision, { content })
    const number = numberOf(group.revision) ?? history.next
    const stored: StoredRevision = {
      revision: group.revision ?? `r${number}`,
      pool,
      group: plan.name,
      plan,
      hash: revisionHash(plan, content),
      content,
      contentHash: null,
      launchHash: null,
      firstSeenAtMs: this.options.nowMs(),
      outcome: null,
    }
    this.write(pool, { next: Math.max(history.next, number + 1), revisions: [...history.revisions, stored] })
    return stored
  }

  /** Throws LB_NO_REVISION (404). */
  learn(pool: string, revision: string, learned: Learned): StoredRevision {
    const { contentUnknown, ...known } = { ...this.find(pool, revision), ...learned }
    const next = known.content === null && contentUnknown !== undefined ? { ...known, contentUnknown } : known
    const history = this.historyOf(pool)
    this.write(pool, { ...history, revisions: history.revisions.map((each) => (each.revision === revision ? next : each)) })
    return next
  }

  /** Throws LB_NO_REVISION (404). */
  find(pool: string, revision: string): StoredRevision {
    const { revisions } = this.historyOf(pool)
    const found = revisions.find((each) => each.revision === revision)
    if (found !== undefined) return found
    const known = revisions.map((each) => each.revision).slice(-10)
    throw new LbError(`pool ${pool} has no revision ${JSON.stringify(revision.slice(0, 50))}`, {
      code: 'LB_NO_REVISION',
      source: 'operator',
      httpStatus: 404,
      hint: known.length === 0 ? 'it has had none yet' : `known: ${known.join(', ')}; \`lb rollout history ${pool}\` tells what they are`,
    })
  }

  /** Newest first. */
  of(pool: string): readonly StoredRevision[] {
    return this.historyOf(pool).revisions.toReversed()
  }

  /** For people, newest first. */
  entries(pool: string): readonly RevisionEntry[] {
    const running = this.runningOf(pool, this.historyOf(pool))
    return this.of(pool).map(({ plan, contentHash: _hash, launchHash: _launch, ...stored }) => ({
      ...stored,
      model: shownModel(plan),
      isRunning: running.has(stored.revision),
    }))
  }

  /** The newest first: what was undone and done again is the last of its kind. */
  private same(
    { revisions }: PoolHistory,
    plan: GroupPlan,
    { revision, content }: { readonly revision: string | undefined; readonly content: string | null },
  ): StoredRevision | undefined {
    const ofGroup = revisions.filter(({ group }) => group === plan.name)
    if (revision !== undefined) return ofGroup.find((each) => each.revision === revision)
    const essence = essenceHash(plan)
    return ofGroup.findLast(
      (each) => essenceHash(each.plan) === essence && (content === null || each.content === null || each.content === content),
    )
  }

  private runningOf(pool: string, history: PoolHistory): ReadonlySet<string> {
    const groups = this.options.running(pool)
    return new Set(
      groups.flatMap(
        (group) => group.revision ?? this.same(history, planOf(group), { revision: undefined, content: null })?.revision ?? [],
      ),
    )
  }

  private historyOf(pool: string): PoolHistory {
    const found = this.pools.get(pool) ?? { next: 1, revisions: [] }
    // Numbers that run are taken, also where their history was lost.
    const taken = this.options.running(pool).flatMap(({ revision }) => numberOf(revision) ?? [])
    return { ...found, next: Math.max(found.next, ...taken.map((number) => number + 1)) }
  }

  private write(pool: string, { next, revisions }: PoolHistory): void {
    const running = this.runningOf(pool, { next, revisions })
    const surplus = revisions.length - MOST_KEPT
    const dropped = revisions
      .filter(({ revision }, index) => index < revisions.length - 1 && !running.has(revision))
      .slice(0, Math.max(0, surplus))
    const kept = { next, revisions: revisions.filter((each) => !dropped.includes(each)) }
    const pools = new Map([...this.pools, [pool, kept]])
    if (this.path !== undefined) writeHistories(this.path, pools)
    this.pools = pools
  }

  private get path(): string | undefined {
    return this.options.stateDir === undefined ? undefined : join(this.options.stateDir, 'revisions.json')
  }
}

/** 2 of `r2`. */
function numberOf(revision: string | undefined): number | undefined {
  const digits = /^r(\d{1,9})$/.exec(revision ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** What it serves, in one word for people. */
export function shownModel({ launch, model, attach, engine }: GroupPlan): string {
  return launch?.model ?? model ?? attach?.url ?? engine
}
