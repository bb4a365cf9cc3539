import { isDeepStrictEqual } from '../base/index.js'
import type { Clock } from '../base/index.js'
import type { AttachSource, Member } from '../topology/index.js'
import { admitMembers } from './admit-members.js'
import type { KeptTruth } from './last-truth.js'
import type { SourceEvents, SourceWatch, Truth } from './source.js'

export interface WatchedGroupOptions {
  /** `pool/group`. */
  readonly key: string
  readonly source: AttachSource
  readonly clock: Clock
  /** Members that hold until the source has said something itself. */
  readonly until: readonly Member[]
  /** Members as they were told to an earlier balancer; used only where the source fails. */
  readonly kept: KeptTruth | undefined
  readonly onTruth: (group: WatchedGroup) => void
  /** It failed, failed in another way, or is well again. */
  readonly onHealth: (group: WatchedGroup) => void
}

/** One node group with a source: what the source last said, how long ago, and what is wrong with it. */
export class WatchedGroup implements SourceEvents {
  members: readonly Member[]
  notes: readonly string[] = []
  /** When the source last said this, or said that it still holds; epoch. */
  atMs: number | undefined
  error: string | undefined
  /** Epoch. */
  failingSinceMs: number | undefined
  /** It has said something, or failed. */
  hasAnswered = false
  watch: SourceWatch | undefined

  constructor(private readonly options: WatchedGroupOptions) {
    this.members = options.until
  }

  get key(): string {
    return this.options.key
  }

  get source(): AttachSource {
    return this.options.source
  }

  truth(truth: Truth): void {
    // Whoever writes the file could write the topology; answers from the network are another matter.
    const { members, notes } = admitMembers(truth, { trusted: this.source.kind === 'file' })
    const isNews = !isDeepStrictEqual(members, this.members)
    this.members = isNews ? members : this.members
    this.notes = notes
    this.well()
    if (isNews) this.options.onTruth(this)
  }

  unchanged(): void {
    this.well()
  }

  problem(why: string): void {
    const isNews = this.error !== why
    this.failingSinceMs ??= this.options.clock.epochMs()
    this.error = why
    if (!this.hasAnswered) this.recall()
    this.hasAnswered = true
    if (isNews) this.options.onHealth(this)
  }

  /** The source is away from the start: what it said to an earlier balancer is better than nothing. */
  private recall(): void {
    const { kept } = this.options
    if (kept === undefined || this.members.length > 0) return
    this.members = kept.members
    this.atMs = kept.atMs
    this.options.onTruth(this)
  }

  private well(): void {
    const wasFailing = this.error !== undefined
    this.hasAnswered = true
    this.atMs = this.options.clock.epochMs()
    this.error = undefined
    this.failingSinceMs = undefined
    if (wasFailing) this.options.onHealth(this)
  }
}
