/** Content that blocks can share, by its chained key, cut into segments wherever the holders differ. */
export interface CachedRun {
  readonly key: number
  /** Lowest block first; there may be holes between segments. */
  first: Segment | undefined
}

/** Neighbouring blocks of one run that the same requests hold, or blocks without content. */
export class Segment {
  references = 0
  /** The run's next segment. */
  after: Segment | undefined
  /** In the free list: used less long ago. Itself while the segment is held. */
  younger: Segment = this
  older: Segment = this

  constructor(
    /** Undefined: no content that could be hit. */
    readonly run: CachedRun | undefined,
    /** Block of the run, the first being 0. */
    readonly from: number,
    /** Not included. */
    public to: number,
  ) {}
}

/** What nobody holds, in order of last use. A segment's last block counts as used longest ago. */
export class FreeList {
  /** Blocks in the list. */
  blocks = 0
  /** The ring's anchor: its younger one is evicted first. */
  private readonly anchor = new Segment(undefined, 0, 0)

  get oldest(): Segment | undefined {
    const { younger } = this.anchor
    return younger === this.anchor ? undefined : younger
  }

  /** Takes a segment in, as the one used last; what it joins seamlessly becomes one with it. */
  push(segment: Segment): void {
    const last = this.anchor.older
    this.blocks += segment.to - segment.from
    if (segment.run === undefined && last.run === undefined && last !== this.anchor) {
      last.to += segment.to - segment.from
      return
    }
    if (segment.run !== undefined && segment.after === last && segment.to === last.from) {
      segment.to = last.to
      segment.after = last.after
      this.unlink(last)
    }
    this.insertBefore(segment, this.anchor)
  }

  /** Takes a segment out: it is held again, or empty. */
  remove(segment: Segment): void {
    this.blocks -= segment.to - segment.from
    this.unlink(segment)
  }

  /** Puts the tail that was cut off a listed segment where it belongs: used longer ago than the rest. */
  insertTail(tail: Segment, rest: Segment): void {
    this.insertBefore(tail, rest)
  }

  private unlink(segment: Segment): void {
    segment.older.younger = segment.younger
    segment.younger.older = segment.older
    segment.younger = segment
    segment.older = segment
  }

  private insertBefore(segment: Segment, next: Segment): void {
    segment.older = next.older
    segment.younger = next
    next.older.younger = segment
    next.older = segment
  }
}
