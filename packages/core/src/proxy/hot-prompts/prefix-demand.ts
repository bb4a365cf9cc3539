import { markAt, RUNGS, stepBytes } from './rungs.js'

/** So long ago, a prompt counts half. */
const HALF_LIFE_MS = 600_000
/** A beginning is hot when so many prompts that were looked at had it. */
const HOT_LOOKS = 3
/** A prompt that nobody repeats must not push out what is asked often: it makes so much more of itself known at a time. */
const NEW_RUNGS = 2
/** In one generation of two. */
const MOST_BEGINNINGS = 2_048

/** How some prompts begin, up to one rung. */
interface Beginning {
  heat: number
  atMs: number
  looks: number
}

/** How often prompts begin alike, of late. Bounded: what was not seen for as long as it takes to fill a generation is forgotten. */
export class PrefixDemand {
  private young = new Map<number, Beginning>()
  private old = new Map<number, Beginning>()

  /** Looks at a prompt that stands for so many, and tells how many of its rungs are hot. */
  look(hashes: Float64Array, weight: number, nowMs: number): number {
    let hot = 0
    let fresh = 0
    for (let rung = 0; rung < RUNGS && fresh < NEW_RUNGS; rung += 1) {
      const mark = markAt(hashes, rung)
      if (mark === undefined) break
      let beginning = this.young.get(mark)
      if (beginning === undefined) {
        beginning = this.old.get(mark) ?? { heat: 0, atMs: nowMs, looks: 0 }
        this.young.set(mark, beginning)
        if (beginning.looks === 0) fresh += 1
      }
      beginning.heat = cooled(beginning, nowMs) + weight
      beginning.atMs = nowMs
      beginning.looks += 1
      if (beginning.looks >= HOT_LOOKS) hot = rung + 1
    }
    if (this.young.size > MOST_BEGINNINGS) {
      this.old = this.young
      this.young = new Map()
    }
    return hot
  }

  /** What a prompt is worth from one rung to another: bytes, each times how often it is asked. */
  worth(hashes: Float64Array, from: number, to: number, nowMs: number): number {
    let worth = 0
    for (let rung = from; rung < to; rung += 1) {
      const mark = markAt(hashes, rung)
      const beginning = mark === undefined ? undefined : (this.young.get(mark) ?? this.old.get(mark))
      if (beginning !== undefined) worth += cooled(beginning, nowMs) * (stepBytes[rung] ?? 0)
    }
    return worth
  }
}

function cooled({ heat, atMs }: Beginning, nowMs: number): number {
  return nowMs <= atMs ? heat : heat * 2 ** ((atMs - nowMs) / HALF_LIFE_MS)
}
