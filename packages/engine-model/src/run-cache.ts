import { FreeList, Segment, type CachedRun } from './free-list.js'

/** Blocks of one run that a request holds, in order of its text; without a run they are its own alone. */
export interface Hold {
  readonly run: CachedRun | undefined
  readonly from: number
  to: number
}

/** Blocks of a run; `to` is not included. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * The KV cache as runs of blocks: reference counts, content by chained key, and a free list in order of last use. Free blocks keep their content
 * until they are taken again; eviction is reuse. The same as a pool of single blocks, at the cost of the runs that are touched.
 */
export class RunCache {
  private readonly free = new FreeList()
  private readonly runs = new Map<number, CachedRun>()

  constructor(readonly size: number) {
    this.free.push(new Segment(undefined, 0, size))
  }

  /** Blocks that nobody holds, with or without content. */
  get freeBlocks(): number {
    return this.free.blocks
  }

  /** The blocks of this content that are cached without a hole from its beginning, at most so many. */
  cached(key: number, blocks: number): number {
    let covered = 0
    for (let segment = this.runs.get(key)?.first; segment?.from === covered && covered < blocks; segment = segment.after)
      covered = segment.to
    return Math.min(covered, blocks)
  }

  /** Of the first so many blocks of this content, those that nobody holds. */
  unheld(key: number, blocks: number): number {
    let count = 0
    for (let segment = this.runs.get(key)?.first; segment !== undefined && segment.from < blocks; segment = segment.after)
      if (segment.references === 0) count += Math.min(segment.to, blocks) - segment.from
    return count
  }

  /** Shares the first so many blocks of this content; they must be cached. */
  retain(key: number, blocks: number, holds: Hold[]): void {
    const run = this.runs.get(key)
    if (run === undefined) throw new RangeError(`nothing is cached under ${key}`)
    for (let segment = run.first; segment !== undefined && segment.from < blocks; segment = segment.after) {
      if (segment.to > blocks) this.split(segment, blocks)
      if (segment.references++ === 0) this.free.remove(segment)
    }
    holds.push({ run, from: 0, to: blocks })
  }

  /** Takes free blocks, those used longest ago; their content is gone. They count as held until `publish` or `release` says whose they are. */
  take(blocks: number): void {
    if (blocks > this.freeBlocks) throw new RangeError(`${blocks} blocks of ${this.freeBlocks}`)
    for (let left = blocks; left > 0;) {
      const oldest = this.free.oldest
      if (oldest === undefined) return
      const shrink = Math.min(left, oldest.to - oldest.from)
      if (shrink === oldest.to - oldest.from) {
        this.free.remove(oldest)
        this.forget(oldest)
      } else {
        oldest.to -= shrink
        this.free.blocks -= shrink
      }
      left -= shrink
    }
  }

  /** Makes taken blocks findable; where somebody else's blocks have that content already, those stay the ones that are found. */
  publish(key: number, { from, to }: Span, holds: Hold[]): void {
    const run = this.runOf(key)
    let before: Segment | undefined
    let segment = run.first
    for (; segment !== undefined && segment.to <= from; segment = segment.after) before = segment
    for (let at = from; at < to;) {
      if (segment !== undefined && segment.from <= at) {
        const end = Math.min(segment.to, to)
        holdPrivate(holds, end - at)
        at = end
        before = segment
        segment = segment.after
      } else {
        const end = Math.min(segment?.from ?? to, to)
        before = this.add(run, { from: at, to: end }, before, holds)
        at = end
      }
    }
  }

  /** Gives back, tail first, so that the tail is evicted first and shared beginnings live longest. `tail`: taken blocks behind the holds. */
  release(holds: Hold[], tail: number): void {
    if (tail > 0) this.free.push(new Segment(undefined, 0, tail))
    for (let hold = holds.pop(); hold !== undefined; hold = holds.pop()) {
      if (hold.run === undefined) this.free.push(new Segment(undefined, hold.from, hold.to))
      else this.releaseFrom(hold.run.first, hold)
    }
  }

  /** From the last one to the first: the segments are linked forwards only. */
  private releaseFrom(segment: Segment | undefined, hold: Hold): void {
    if (segment === undefined || segment.from >= hold.to) return
    this.releaseFrom(segment.after, hold)
    if (segment.from < hold.from) return
    if (segment.references === 0) throw new RangeError(`blocks ${segment.from} to ${segment.to} were released twice`)
    if (--segment.references === 0) this.free.push(segment)
  }

  /** New blocks of a run; they become one with those before when the same request alone holds them. */
  private add(run: CachedRun, { from, to }: Span, before: Segment | undefined, holds: Hold[]): Segment {
    const last = holds.at(-1)
    const isOwn = last?.run === run && last.to === from
    if (isOwn) last.to = to
    else holds.push({ run, from, to })
    if (isOwn && before?.to === from && before.references === 1) {
      before.to = to
      return before
    }
    const segment = new Segment(run, from, to)
    segment.references = 1
    segment.after = before === undefined ? run.first : before.after
    if (before === undefined) run.first = segment
    else before.after = segment
    return segment
  }

  private split(segment: Segment, at: number): void {
    const tail = new Segment(segment.run, at, segment.to)
    tail.references = segment.references
    tail.after = segment.after
    segment.after = tail
    segment.to = at
    if (segment.references === 0) this.free.insertTail(tail, segment)
  }

  private forget(segment: Segment): void {
    const { run } = segment
    if (run === undefined) return
    if (run.first === segment) run.first = segment.after
    else {
      let before = run.first
      while (before !== undefined && before.after !== segment) before = before.after
      if (before !== undefined) before.after = segment.after
    }
    if (run.first === undefined) this.runs.delete(run.key)
  }

  private runOf(key: number): CachedRun {
    let run = this.runs.get(key)
    if (run === undefined) {
      run = { key, first: undefined }
      this.runs.set(key, run)
    }
    return run
  }
}

/** Notes blocks that nobody else can hit. */
export function holdPrivate(holds: Hold[], blocks: number): void {
  const last = holds.at(-1)
  if (last !== undefined && last.run === undefined) last.to += blocks
  else holds.push({ run: undefined, from: 0, to: blocks })
}
