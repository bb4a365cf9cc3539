import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import { readJson, writeFileDurable } from '../state/index.js'
import { carriedSlots, isPoolPlan, withChanges, type PoolChange, type PoolPlan, type Topology } from '../topology/index.js'

/** One pool's change as it is written down, with a hash of the declaration that it changes. */
interface Kept {
  readonly declared: string
  readonly change: PoolChange
}

export interface RunningPlansOptions {
  /** Where it is written down; undefined: in memory only. */
  readonly stateDir: string | undefined
  readonly log: Logger
  /** Makes it so: routing, then nodes. Resolves when starts have begun. */
  readonly apply: (topology: Topology) => Promise<void>
}

/**
 * What runs, where it differs from what was declared: the only place where rollouts, scale and residency change a topology. Each change is on the disk before it
 * is made, so that a balancer that is killed begins again with what it had; a pool that is declared otherwise meanwhile runs as declared.
 */
export class RunningPlans {
  private readonly kept: Map<string, Kept>
  private latest: Topology

  constructor(
    private declared: Topology,
    private readonly options: RunningPlansOptions,
  ) {
    this.kept = keptIn(this.path)
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

  /** Another declaration: pools that it changes run as declared, with as many nodes as the load has brought. Applies nothing. */
  declare(topology: Topology): void {
    this.declared = topology
    this.latest = this.withKept()
  }

  /** Makes a pool so; undefined: as declared. Throws LB_UNKNOWN_POOL, or what the disk throws: then nothing has changed. */
  async change(pool: string, change: PoolChange | undefined): Promise<void> {
    this.prepare(pool, change)
    await this.options.apply(this.latest)
  }

  /** The same before the first nodes are begun, or where somebody else applies it. */
  prepare(pool: string, change: PoolChange | undefined): void {
    const declared = hashOf(this.declaredPoolOf(pool))
    const before = this.kept.get(pool)
    if (change === undefined) this.kept.delete(pool)
    else this.kept.set(pool, { declared, change })
    try {
      this.write()
    } catch (error) {
      if (before === undefined) this.kept.delete(pool)
      else this.kept.set(pool, before)
      throw error
    }
    this.latest = this.withKept()
  }

  private withKept(): Topology {
    for (const [name, { declared, change }] of this.kept) {
      const pool = this.declared.pools.find((each) => each.name === name)
      if (pool !== undefined && hashOf(pool) === declared) continue
      this.kept.delete(name)
      this.options.log.info('plans.declared_anew', { pool: name })
      const carried = pool === undefined ? undefined : carriedSlots(pool, change.groups)
      if (pool !== undefined && carried !== undefined) this.kept.set(name, { declared: hashOf(pool), change: carried })
    }
    return withChanges(this.declared, new Map([...this.kept].map(([name, { change }]) => [name, change])))
  }

  private write(): void {
    if (this.path !== undefined) writeFileDurable(this.path, `${JSON.stringify({ v: 1, pools: Object.fromEntries(this.kept) }, null, 2)}\n`)
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
    hint: `known: ${topology.pools.map((each) => each.name).join(', ')}`,
  })
}

function hashOf(pool: PoolPlan): string {
  return createHash('sha256').update(JSON.stringify(pool)).digest('hex').slice(0, 16)
}

/** A file that is torn or of another version changes nothing. */
function keptIn(path: string | undefined): Map<string, Kept> {
  const found = path === undefined ? undefined : (readJson(path) as { v?: unknown; pools?: unknown } | undefined | null)
  if (found?.v !== 1 || typeof found.pools !== 'object' || found.pools === null) return new Map()
  return new Map(Object.entries(found.pools as Record<string, Kept>).filter(([name, kept]) => isKept(name, kept)))
}

function isKept(name: string, kept: Partial<Kept> | null): kept is Kept {
  return typeof kept?.declared === 'string' && isPoolPlan({ name, models: [name], groups: kept.change?.groups })
}
