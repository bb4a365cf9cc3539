import { isDeepStrictEqual } from '../base/index.js'
import type { Clock, RandomSource, TimerHandle } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { AttachSource, MembersOf, Topology } from '../topology/index.js'
import { LastTruth } from './last-truth.js'
import { WatchedGroup } from './watched-group.js'
import { watchSource } from './watch-source.js'

export interface DiscoveryOptions {
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
  /** Where last truths are kept; undefined: nowhere. */
  readonly stateDir: string | undefined
  /** The members of some group have changed. */
  readonly onMembers: () => void
  /** A source fails, or is well again; for people. */
  readonly onHealth: (message: string) => void
}

/** One source, for people. */
export interface SourceReport {
  /** Name of the node group. */
  readonly group: string
  readonly from: string
  readonly members: number
  /** When the source last said so; epoch. Undefined: never. */
  readonly atMs: number | undefined
  readonly error: string | undefined
  /** Epoch. */
  readonly failingSinceMs: number | undefined
  readonly notes: readonly string[]
}

/** Changes that come in a burst are told together. */
const GATHER_MS = 50
const ANSWER_POLL_MS = 10

/** Watches the sources of a topology; a source that fails keeps what it said last. */
export class Discovery {
  private readonly groups = new Map<string, WatchedGroup>()
  private readonly truths: LastTruth
  private gathering: TimerHandle | undefined
  private stopped = false

  constructor(private readonly options: DiscoveryOptions) {
    this.truths = new LastTruth(options.stateDir)
  }

  /** Watches the sources of this topology and no others. A source that is the same as before goes on; another one in its place keeps its members until it says who its own are. */
  use(topology: Topology): void {
    const wanted = new Map<string, AttachSource>(
      topology.pools.flatMap((pool) =>
        pool.groups.flatMap(({ name, source }) => (source === undefined ? [] : [[`${pool.name}/${name}`, source] as const])),
      ),
    )
    for (const [key, group] of this.groups) {
      if (isDeepStrictEqual(wanted.get(key), group.source)) continue
      group.watch?.stop()
      if (!wanted.has(key)) this.groups.delete(key)
    }
    for (const [key, source] of wanted) {
      const before = this.groups.get(key)
      if (before === undefined || !isDeepStrictEqual(before.source, source)) this.begin(key, source, before)
    }
  }

  members(): MembersOf {
    return new Map([...this.groups].map(([key, group]) => [key, group.members]))
  }

  /** Every source. */
  readings(): readonly {
    readonly pool: string
    readonly group: string
    readonly members: number
    readonly ageMs: number | undefined
    readonly isFailing: boolean
  }[] {
    return [...this.groups.values()].map(({ key, members, atMs, error }) => ({
      pool: key.slice(0, key.indexOf('/')),
      group: key.slice(key.indexOf('/') + 1),
      members: members.length,
      ageMs: atMs === undefined ? undefined : Math.max(0, this.options.clock.epochMs() - atMs),
      isFailing: error !== undefined,
    }))
  }

  /** The sources of one pool, in no order. */
  reports(pool: string): readonly SourceReport[] {
    return [...this.groups.values()]
      .filter(({ key }) => key.startsWith(`${pool}/`))
      .map(({ key, source, members, atMs, error, failingSinceMs, notes }) => ({
        group: key.slice(pool.length + 1),
        from: source.from,
        members: members.length,
        atMs,
        error,
        failingSinceMs,
        notes,
      }))
  }

  /** Resolves when every source has said something or failed, or the time is up. */
  async firstAnswers(waitMs: number): Promise<void> {
    const deadlineMs = this.options.clock.nowMs() + waitMs
    const isOpen = (): boolean => !this.stopped && [...this.groups.values()].some(({ hasAnswered }) => !hasAnswered)
    while (isOpen() && this.options.clock.nowMs() < deadlineMs)
      await new Promise<void>((resolve) => void setTimeout(resolve, ANSWER_POLL_MS))
  }

  stop(): void {
    this.stopped = true
    this.gathering?.cancel()
    for (const { watch } of this.groups.values()) watch?.stop()
  }

  private begin(key: string, source: AttachSource, before: WatchedGroup | undefined): void {
    const { clock, random, env } = this.options
    const group = new WatchedGroup({
      key,
      source,
      clock,
      until: before?.members ?? [],
      kept: this.truths.of(key, source.from),
      onTruth: (told) => this.told(told),
      onHealth: (told) => this.health(told),
    })
    this.groups.set(key, group)
    group.watch = watchSource(source, { clock, random, env }, group)
  }

  private told({ key, source, members, atMs, error, notes }: WatchedGroup): void {
    if (this.stopped) return
    this.options.log.info('source.members', {
      source: key,
      from: source.from,
      members: members.length,
      ...(notes.length === 0 ? {} : { notes: notes.join('; ') }),
    })
    if (error === undefined && atMs !== undefined) this.keep(key, source, { atMs, members })
    this.gathering ??= this.options.clock.after(GATHER_MS, () => {
      this.gathering = undefined
      this.options.onMembers()
    })
  }

  private keep(key: string, { from }: AttachSource, truth: { atMs: number; members: WatchedGroup['members'] }): void {
    try {
      this.truths.keep(key, { from, ...truth })
    } catch (failure) {
      this.options.log.warn('source.not_kept', { source: key, error: messageOf(failure) })
    }
  }

  private health({ key, source, error, members }: WatchedGroup): void {
    if (this.stopped) return
    const kept = `${members.length} ${members.length === 1 ? 'member stays' : 'members stay'}`
    this.options.onHealth(error === undefined ? `${key}: ${source.from} answers again` : `${key}: ${source.from} fails, ${kept}: ${error}`)
    if (error === undefined) this.options.log.info('source.well', { source: key, from: source.from })
    else this.options.log.warn('source.failing', { source: key, from: source.from, error, kept: members.length })
  }
}
