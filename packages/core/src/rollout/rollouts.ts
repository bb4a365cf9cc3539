import type { RequestRecord, ShadowPair } from '../contracts/index.js'
import { LbError, messageOf } from '../errors/index.js'
import type { GroupPlan, PoolChange, PoolPlan } from '../topology/index.js'
import { letGo, restoredInWords, weightsFor } from './around.js'
import { Closings } from './closings.js'
import { readable } from './disk-errors.js'
import { Journal } from './journal.js'
import { newRecord } from './new-record.js'
import { resumptionOf } from './resume.js'
import { contentOf, RevisionStore, SlowLearner } from './revisions/index.js'
import type { RevisionEntry, RolloutDesk } from './rollout-desk.js'
import type { RolloutRecord } from './rollout-record.js'
import type { JudgeReport, RolloutStatus } from './rollout-status.js'
import type { RolloutWorld } from './rollout-world.js'
import type { RolloutVerb, RolloutWish } from './rollout-wish.js'
import { Run } from './run.js'
import { startJudge } from './running-judge.js'
import { endOf, revertOf, takenUpInWords } from './take-up.js'
import { refused } from './targets.js'
import { Webhooks } from './webhooks.js'

/** All rollouts of one balancer: at most one at a time in each pool. */
export class Rollouts implements RolloutDesk {
  private readonly journal: Journal
  private readonly store: RevisionStore
  private readonly learner: SlowLearner
  private readonly webhooks: Webhooks
  private readonly closings: Closings
  private readonly runs = new Map<string, Run>()
  /** Pools whose next rollout is being planned. */
  private readonly planning = new Set<string>()
  /** Phases that were told. */
  private readonly told = new Map<string, string>()
  private readonly noted = new WeakSet<GroupPlan>()
  private isStopped = false

  constructor(private readonly world: RolloutWorld) {
    const { stateDir, log, clock } = world
    this.journal = new Journal(stateDir)
    this.store = new RevisionStore({ stateDir, log, nowMs: () => clock.epochMs(), running: (pool) => this.groupsOf(pool) })
    this.learner = new SlowLearner({ store: this.store, weights: world.weights, pool: (name) => world.pool(name) })
    const closed = (record: RolloutRecord): void => this.closed(record)
    this.closings = new Closings({ world, journal: this.journal, store: this.store, closed })
    if (this.journal.putAside !== undefined) log.error('rollout.journal_unreadable', { putAside: this.journal.putAside })
    this.webhooks = new Webhooks({ clock, log, post: (url, body) => world.post(url, body) })
  }

  /** Before the first nodes are begun: what an earlier balancer was at goes on, or goes back. */
  prepare(pools: readonly string[]): void {
    for (const record of this.journal.running) this.takeUp(record)
    for (const pool of pools) if (!this.runs.has(pool)) this.unsplit(pool)
  }

  /** The nodes of the topology were begun. */
  begin(pools: readonly string[]): void {
    for (const run of this.runs.values()) run.wake()
    void this.noteRunning(pools)
  }

  async start(wish: RolloutWish): Promise<RolloutStatus> {
    const { pool } = wish
    this.refuseSecond(pool)
    this.planning.add(pool)
    try {
      this.closings.finish(pool)
      const record = await newRecord(wish, { world: this.world, store: this.store, id: this.journal.nextId(pool) })
      if (this.isStopped) throw refused('this balancer is stopping', 'lb up starts it again')
      this.journal.save(record)
      this.world.tell(
        pool,
        `${record.id}: ${record.from.revision} (${record.from.model}) to ${record.to.revision} (${record.to.model}), ${record.kind}`,
      )
      const run = this.launch(record)
      run.wake()
      return run.status()
    } catch (error) {
      throw readable(error)
    } finally {
      this.planning.delete(pool)
    }
  }

  async act(pool: string, verb: RolloutVerb): Promise<RolloutStatus> {
    this.world.pool(pool)
    const run = this.runs.get(pool)
    if (run !== undefined && !run.isOver) {
      try {
        run.act(verb === 'undo' ? 'abort' : verb)
      } catch (error) {
        throw readable(error)
      }
      return run.status()
    }
    // One that could not be written down yet is the last all the same.
    const last = this.list().find((each) => each.pool === pool)
    if (last === undefined) throw noRollout(pool)
    if (verb !== 'undo') throw refused(`the last rollout of ${pool} is over: ${last.phase}`, `lb rollout start ${pool} begins another`)
    if (last.phase !== 'promoted')
      throw refused(`the last rollout of ${pool} was not promoted: nothing is to be undone`, `lb rollout history ${pool} tells more`)
    const { from, to, groups = [{ group: this.store.find(pool, to.revision).group, from: from.revision }] } = last
    return this.start({ pool, revisions: groups.map((each) => ({ group: each.group, revision: each.from })) })
  }

  list(): readonly RolloutStatus[] {
    const { past } = this.journal
    const running = [...this.runs.values()].map((run) => run.status()).filter(({ id }) => !past.some((each) => each.id === id))
    return [...running.toReversed(), ...past]
  }

  revisions(pool: string): readonly RevisionEntry[] {
    this.world.pool(pool)
    return this.store.entries(pool)
  }

  compare(pool: string): JudgeReport {
    const run = this.runs.get(pool)
    const newest = run?.status() ?? this.journal.past.find((each) => each.pool === pool)
    if (newest === undefined) throw noRollout(pool)
    return run?.report() ?? newest.judge ?? nothingSeen
  }

  /** Something of the nodes has changed. */
  nodesChanged(): void {
    for (const run of this.runs.values()) run.wake()
  }

  settled(record: RequestRecord): void {
    if (this.runs.size > 0 && record.pool !== null) this.runs.get(record.pool)?.settled(record)
  }

  /** A request waits for the trusted revision, as the new one has failed it. */
  sentBack(record: RequestRecord): void {
    if (record.pool !== null) this.runs.get(record.pool)?.settled(record, true)
  }

  shadowed(pair: ShadowPair): void {
    this.runs.get(pair.pool)?.shadowed(pair)
  }

  stop(): void {
    this.isStopped = true
    this.learner.stop()
    this.webhooks.stop()
    this.closings.stop()
    for (const run of this.runs.values()) run.stop()
  }

  private refuseSecond(pool: string): void {
    const run = this.runs.get(pool)
    if (this.planning.has(pool)) throw refused(`a rollout of ${pool} is being planned`, `lb rollout status ${pool} tells more`)
    if (run === undefined || run.isOver) return
    const { id, kind, phase } = run.status()
    throw refused(`${id} runs in pool ${pool} (${kind}, ${phase})`, `lb rollout promote ${pool}, lb rollout abort ${pool}, or wait for it`)
  }

  private launch(record: RolloutRecord, applied?: PoolChange): Run {
    const { world, journal } = this
    const run = new Run(
      record,
      {
        world,
        changed: (status) => this.changed(status, record.plan.webhooks),
        save: (next) => journal.save(next),
        judgeFor: (next, hooks) => {
          const shelf = { read: () => journal.evidenceOf(next), write: (judge: object) => journal.keepEvidence(next, judge) }
          return startJudge(next, world, { ...hooks, shelf })
        },
        forgetEvidence: (next) => this.forget(next),
        fetch: (next, options) => weightsFor(next, world, options).then(() => this.learner.learn(next.pool, next.to.revision)),
        evidence: (next) => this.evidenceOf(next),
        over: (next) => this.over(next),
      },
      applied,
    )
    this.runs.set(record.pool, run)
    return run
  }

  private changed(status: RolloutStatus, webhooks: readonly string[]): void {
    if (this.told.get(status.pool) === `${status.id} ${status.phase}`) return
    this.told.set(status.pool, `${status.id} ${status.phase}`)
    this.world.changed(status)
    this.webhooks.tell(webhooks, status)
  }

  private forget(record: RolloutRecord): void {
    try {
      this.journal.forget(record)
    } catch (error) {
      this.world.log.warn('rollout.evidence_not_forgotten', { pool: record.pool, error: messageOf(error) })
    }
  }

  private async evidenceOf(record: RolloutRecord): Promise<readonly string[]> {
    try {
      return await restoredInWords(record, this.world, this.store.find(record.pool, record.from.revision).content)
    } catch (error) {
      this.world.log.warn('rollout.evidence_failed', { pool: record.pool, error: messageOf(error) })
      return []
    }
  }

  private over(record: RolloutRecord): void {
    this.closings.close(record)
    letGo(record, this.world).catch((error: unknown) =>
      this.world.log.warn('rollout.model_not_unloaded', { pool: record.pool, error: messageOf(error) }),
    )
  }

  private closed({ id, pool, phase, to }: RolloutRecord): void {
    if (this.runs.get(pool)?.status().id === id) this.runs.delete(pool)
    if (phase === 'promoted') this.learner.learn(pool, to.revision)
  }

  private takeUp(record: RolloutRecord): void {
    const { world } = this
    try {
      const [runs, declared] = [() => world.pool(record.pool), () => world.declaredPool(record.pool)].map(quietly)
      const found = resumptionOf(record, runs, declared)
      const told = takenUpInWords(found, record)
      const nowMs = world.clock.epochMs()
      const next = { ...record, events: [...record.events, { atMs: nowMs, message: told }] }
      world.tell(record.pool, told)
      if (found.is === 'resumed') this.launch(next, found.applied)
      else if (found.is === 'reverted') this.revert(next, declared)
      else this.closings.close({ ...next, ...endOf(found, record, nowMs) })
    } catch (error) {
      world.log.error('rollout.not_taken_up', { pool: record.pool, error: messageOf(error) })
    }
  }

  private revert(record: RolloutRecord, declared: PoolPlan | undefined): void {
    const reverted = revertOf(record, declared)
    this.world.prepare(record.pool, reverted.change, { evenUnwritten: true })
    this.launch(reverted.record, record.first)
  }

  /** Requests are parted, and nobody knows why: what was known of that rollout is lost. */
  private unsplit(pool: string): void {
    if (quietly(() => this.world.pool(pool))?.split === undefined) return
    const settled = this.world.settled(pool)
    this.world.prepare(pool, settled, { evenUnwritten: true })
    const now = settled === undefined ? 'as declared' : 'as before it'
    this.world.tell(pool, `a rollout of which nothing is known any more was taken back: the pool runs ${now}`)
  }

  /** What runs gets its number and its content before anybody changes it. */
  async noteRunning(pools: readonly string[]): Promise<void> {
    for (const name of pools) {
      const pool = this.runs.has(name) ? undefined : quietly(() => this.world.pool(name))
      for (const group of pool?.groups ?? []) {
        if (pool === undefined || this.noted.has(group) || this.isStopped) continue
        this.noted.add(group)
        try {
          const { revision } = this.store.note(name, group, await contentOf(pool, group, this.world.weights))
          this.learner.learn(name, revision)
        } catch (error) {
          this.world.log.warn('revisions.not_noted', { pool: name, group: group.name, error: messageOf(error) })
        }
      }
    }
  }

  private groupsOf(pool: string): readonly GroupPlan[] {
    return quietly(() => this.world.pool(pool))?.groups ?? []
  }
}

/** Of a rollout whose new revision was not there to be judged, or is not yet. */
const nothingSeen: JudgeReport = { verdict: 'undecided', reason: null, canaryRequests: 0, baselineRequests: 0, figures: [] }

function quietly<Value>(ask: () => Value): Value | undefined {
  try {
    return ask()
  } catch {
    return undefined
  }
}

function noRollout(pool: string): LbError {
  return new LbError(`no rollout runs in pool ${pool}`, {
    code: 'LB_NO_ROLLOUT',
    source: 'operator',
    httpStatus: 404,
    hint: `lb rollout start ${pool} --model NEW begins one`,
  })
}
