import type { Sentence, Suspect } from './words.js'

/** One end of a node that a body was present at. */
export interface Death {
  /** Each end of a node has its own. */
  readonly id: string
  readonly node: string
  /** False where nobody knows whether the engine crashed or was ended by somebody. */
  readonly isCrash: boolean
  /** Pieces of content that the client had by then. */
  readonly progress: number
  /** How long the node had the body. */
  readonly atNodeMs: number
  /** Monotonic. */
  readonly atMs: number
}

/** A body and the ends of nodes that it was present at. */
export interface Entry extends Suspect {
  deaths: readonly Death[]
  /** Terms that it has had. */
  terms: number
  /** While it is in quarantine. */
  sentence: Sentence | undefined
  /** On the monotonic clock. */
  freeAtMs: number
  /** Requests refused since it was quarantined. */
  refused: number
}

/** A client that tries again the next day is known; most have given up by then. */
export const REMEMBERED_MS = 24 * 3_600_000
const MOST_ENTRIES = 1_000
const CRASHES = 2
/** Where it is not known how they ended. */
const ENDS = 3

/** Bodies that were at nodes when these ended; the oldest is forgotten first, those in quarantine last. */
export class DeathBook {
  private readonly entries = new Map<string, Entry>()

  constructor(private readonly onForgotten: (entry: Entry) => void) {}

  get(fingerprint: string): Entry | undefined {
    return this.entries.get(fingerprint)
  }

  /** Writes down that the body was there; each end of a node counts once for it. */
  add(suspect: Suspect, death: Death): Entry {
    const known = this.entries.get(suspect.fingerprint)
    const entry: Entry = known ?? { ...suspect, deaths: [], terms: 0, sentence: undefined, freeAtMs: 0, refused: 0 }
    const recent = entry.deaths.filter(({ atMs, id }) => death.atMs - atMs < REMEMBERED_MS && id !== death.id)
    entry.deaths = [...recent, death]
    this.entries.delete(entry.fingerprint)
    this.entries.set(entry.fingerprint, entry)
    this.forgetOld(death.atMs)
    return entry
  }

  /** It got further at a node than where these ended: it was not what ended them. */
  further(fingerprint: string, progress: number): void {
    const entry = this.entries.get(fingerprint)
    if (entry === undefined || entry.sentence !== undefined) return
    entry.deaths = entry.deaths.filter((death) => death.progress >= progress)
    if (entry.deaths.length === 0) this.forget(entry)
  }

  /** It is known what ended these: whoever else was there is cleared of them. */
  explain({ fingerprint, deaths }: Entry): void {
    const explained = new Set(deaths.map(({ id }) => id))
    for (const entry of this.entries.values()) {
      if (entry.fingerprint === fingerprint || entry.sentence !== undefined) continue
      entry.deaths = entry.deaths.filter(({ id }) => !explained.has(id))
      if (entry.deaths.length === 0) this.forget(entry)
    }
  }

  forget(entry: Entry): void {
    if (this.entries.delete(entry.fingerprint)) this.onForgotten(entry)
  }

  *all(): Iterable<Entry> {
    yield* this.entries.values()
  }

  private forgetOld(nowMs: number): void {
    for (const entry of this.entries.values()) {
      if (entry.sentence !== undefined || nowMs - (entry.deaths.at(-1)?.atMs ?? -Infinity) < REMEMBERED_MS) continue
      this.forget(entry)
    }
    while (this.entries.size > MOST_ENTRIES) this.forget(this.oldest())
  }

  private oldest(): Entry {
    let first: Entry | undefined
    for (const entry of this.entries.values()) {
      first ??= entry
      if (entry.sentence === undefined) return entry
    }
    return first as Entry
  }
}

/** How differently long it was at the nodes that ended: what ends them needs about the same time each time, others are there by chance. */
export function unsteadiness({ deaths }: Entry): number {
  const times = deaths.map(({ atNodeMs }) => atNodeMs)
  return Math.max(...times) - Math.min(...times)
}

/** Whether so many nodes ended with it that no chance explains it. */
export function isOverdue({ deaths }: Entry): boolean {
  return isEnough(deaths.filter(({ isCrash }) => isCrash).length, deaths.length)
}

/** `ends`: of any kind, crashes included. */
export function isEnough(crashes: number, ends: number): boolean {
  return crashes >= CRASHES || ends >= ENDS
}
