import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from '../contracts/index.js'
import { LbError, messageOf } from '../errors/index.js'
import {
  carriedChange,
  essenceOf,
  knownNames,
  withChanges,
  type GroupPlan,
  type PoolChange,
  type PoolPlan,
  type Topology,
} from '../topology/index.js'
import { readPlans, writePlans, type KeptChange } from './plans-file.js'

export interface RunningPlansOptions {
  /** Where it is written down; undefined: in memory only. */
  readonly stateDir: string | undefined
  readonly log: Logger
  /** Makes it so: routing at once, then nodes. `before`: what was applied last; undefined: nobody knows. Resolves when starts have begun. */
  readonly apply: (topology: Topology, before: Topology | undefined) => Promise<void>
}

export interface ChangeOptions {
  /** Also where the disk refuses: better for clients than to wait for it. It is written down with the next change that can be. */
  readonly evenUnwritten?: boolean
}

/**
 * What runs, where it differs from what was declared: the only place where rollouts, scale and residency change a topology. Each change is on the disk before it
 * is made, so that a balancer that is killed begins again with what it had. What the file says of a pool's nodes counts from the moment that it is edited; what it
 * goes on saying as before stays as it runs.
 */
export class RunningPlans {
  private readonly kept: Map<string, KeptChange>
  private latest: Topology
  /** The last one could not be applied: what is between it and reality is unknown. */
  private isTorn = false
  /** The disk has refused the last of it. */
  private isUnwritten = false

  constructor(
    private declared: Topology,
    private readonly options: RunningPlansOptions,
  ) {
    const { kept, putAside } = this.path === undefined ? { kept: new Map<string, KeptChange>() } : readPlans(this.path)
    this.kept = new Map(kept)
    if (putAside !== undefined) options.log.error('plans.unreadable', { putAside, why: 'pools run as declared' })
    this.latest = this.withKept()
  }

  /** As it runs. */
  get topology(): Topology {
    return this.latest
  }

  /** Throws LB_UNKNOWN_POOL. */
  poolOf(name: string): PoolPlan {
    return poolIn(this.latest, name)
  }

  /** As the file says. Throws LB_UNKNOWN_POOL. */
  declaredPoolOf(name: string): PoolPlan {
    return poolIn(this.declared, name)
  }

  /** What a pool had come to before its requests were parted; undefined: it ran as declared. */
  settledOf(pool: string): PoolChange | undefined {
    const kept = this.kept.get(pool)
    return kept?.change.split === undefined ? kept?.change : kept.settled
  }

  /** Another declaration. Applies nothing; the function that it gives takes it back. */
  declare(topology: Topology): () => void {
    const before = { declared: this.declared, latest: this.latest, kept: [...this.kept] }
    this.declared = topology
    this.latest = this.withKept()
    return () => {
      this.declared = before.declared
      this.latest = before.latest
      this.kept.clear()
      for (const [name, kept] of before.kept) this.kept.set(name, kept)
      this.writeIfPossible()
    }
  }

  /** Makes a pool so; undefined: as declared. Throws LB_UNKNOWN_POOL, or what the disk throws: then nothing has changed. */
  async change(pool: string, change: PoolChange | undefined, options: ChangeOptions = {}): Promise<void> {
    const before = this.isTorn ? undefined : this.latest
    this.prepare(pool, change, options)
    // What of it may fail does so before its first pause, and so before anybody else's change.
    this.isTorn = true
    const applied = this.options.apply(this.latest, before)
    this.isTorn = false
    await applied
  }

  /** The same before the first nodes are begun, or where somebody else applies it. */
  prepare(pool: string, change: PoolChange | undefined, { evenUnwritten = false }: ChangeOptions = {}): void {
    const declared = this.declaredPoolOf(pool)
    const before = this.kept.get(pool)
    if (change === undefined) this.kept.delete(pool)
    else this.kept.set(pool, keptOf(declared, change, before))
    try {
      if (evenUnwritten) this.writeIfPossible()
      else this.write()
    } catch (error) {
      if (before === undefined) this.kept.delete(pool)
      else this.kept.set(pool, before)
      throw error
    }
    this.latest = this.withKept()
  }

  /** Writes down what the disk refused before. Throws what it throws now. */
  catchUp(): void {
    if (this.isUnwritten) this.write()
  }

  /** The declaration with all changes that it leaves. Those that it overrules are forgotten for good, or an earlier file would bring them back. */
  private withKept(): Topology {
    let isSame = true
    for (const [name, { declared, made, change, settled }] of this.kept) {
      const pool = this.declared.pools.find((each) => each.name === name)
      if (pool !== undefined && hashOf(pool) === declared) continue
      isSame = false
      this.kept.delete(name)
      const carried =
        pool === undefined ? undefined : carriedChange(pool, { change, settled }, (group) => made[group.name] !== madeOf(group))
      if (pool !== undefined && carried !== undefined) this.kept.set(name, keptOf(pool, carried))
      this.options.log.info('plans.declared_anew', {
        pool: name,
        keeps: carried?.groups.map((group) => group.name).join(', ') ?? 'nothing',
      })
    }
    if (!isSame) this.writeIfPossible()
    return withChanges(this.declared, new Map([...this.kept].map(([name, { change }]) => [name, change])))
  }

  private write(): void {
    if (this.path !== undefined) writePlans(this.path, this.kept)
    this.isUnwritten = false
  }

  private writeIfPossible(): void {
    try {
      this.write()
    } catch (error) {
      this.notWritten(error)
    }
  }

  private notWritten(error: unknown): void {
    this.isUnwritten = true
    this.options.log.error('plans.not_written', { error: messageOf(error), why: 'a balancer that starts now would find what was before' })
  }

  private get path(): string | undefined {
    return this.options.stateDir === undefined ? undefined : join(this.options.stateDir, 'plans.json')
  }
}

function poolIn(topology: Topology, name: string): PoolPlan {
  const pool = topology.pools.find((each) => each.name === name)
  if (pool !== undefined) return pool
  throw new LbError(`there is no pool ${JSON.stringify(name.slice(0, 100))}`, {
    code: 'LB_UNKNOWN_POOL',
    source: 'operator',
    httpStatus: 404,
    hint: knownNames(
      name,
      topology.pools.map((each) => each.name),
    ),
  })
}

function keptOf(declared: PoolPlan, change: PoolChange, before?: KeptChange): KeptChange {
  const settled = change.split === undefined ? undefined : before?.change.split === undefined ? before?.change : before.settled
  return {
    ...(settled === undefined ? {} : { settled }),
    declared: hashOf(declared),
    made: Object.fromEntries(declared.groups.map((group) => [group.name, madeOf(group)])),
    change,
  }
}

/** Of what a change is a change to: its groups, and whether they take turns. A pool's limits and times may be edited beneath it. */
function hashOf({ groups, residency }: PoolPlan): string {
  return digest([groups, residency ?? null])
}

function madeOf(group: GroupPlan): string {
  return digest(essenceOf(group))
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
}
