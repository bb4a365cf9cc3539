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
  /** The body got further since, at another node. */
  readonly isBeyond?: true
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
/** Whoever got so many pieces of content further than where an earlier node ended was hardly what ended that one; fewer are chance. */
const CLEARLY_FURTHER = 3
/** Breaks of connections are heard of so much later or earlier. */
const STEADY_MS = 8
/** Whoever had nothing where one node ended and something where the next one did was less likely what ended both, by so much unsteadiness. */
const SPOKE_MS = 100
/** Of a stream that each node brings a little further before it crashes. */
const CRASHES_EVEN_SO = 4
const LATELY_MS = 600_000

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
    const earlier = recent.map((each) => (each.progress + CLEARLY_FURTHER <= death.progress ? { ...each, isBeyond: true as const } : each))
    entry.deaths = [...earlier, death]
    this.entries.delete(entry.fingerprint)
    this.entries.set(entry.fingerprint, entry)
    this.forgetOld(death.atMs)
    return entry
  }

  /** It got further at a node than where these ended: it was hardly what ended them. */
  further(fingerprint: string, progress: number): void {
    const entry = this.entries.get(fingerprint)
    if (entry === undefined || entry.sentence !== undefined) return
    entry.deaths = entry.deaths.map((death) => (death.progress < progress ? { ...death, isBeyond: true } : death))
  }

  /** It is known better how long the node had the body. */
  timed(fingerprint: string, id: string, atNodeMs: number): void {
    const entry = this.entries.get(fingerprint)
    if (entry !== undefined) entry.deaths = entry.deaths.map((death) => (death.id === id ? { ...death, atNodeMs } : death))
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

/**
 * The likeliest first of several that were at the same ends: what ends nodes needs about the same time each time, others are there by chance; of those that
 * are as steady, the one that had come last.
 */
export function byLikelihood(a: Entry, b: Entry): number {
  return unsteadiness(a) - unsteadiness(b) || longestMs(a) - longestMs(b)
}

function unsteadiness({ deaths }: Entry): number {
  const times = deaths.map(({ atNodeMs }) => atNodeMs)
  const spokeMs = deaths[0]?.progress === 0 && (deaths.at(-1)?.progress ?? 0) > 0 ? SPOKE_MS : 0
  return Math.floor((Math.max(...times) - Math.min(...times) + spokeMs) / STEADY_MS)
}

function longestMs({ deaths }: Entry): number {
  return Math.max(...deaths.map(({ atNodeMs }) => atNodeMs))
}

/** Ends of nodes that a body was present at. */
export interface Burden {
  /** That were crashes for sure, and that it did not get beyond. */
  readonly crashes: number
  /** Of any kind, crashes included, that it did not get beyond. */
  readonly ends: number
  /** Crashes of late, although it got beyond them. */
  readonly lately: number
}

export function burdenOf({ deaths }: Entry, nowMs: number): Burden {
  const counted = deaths.filter(({ isBeyond }) => isBeyond !== true)
  return {
    crashes: counted.filter(({ isCrash }) => isCrash).length,
    ends: counted.length,
    lately: deaths.filter(({ atMs, isCrash }) => isCrash && nowMs - atMs < LATELY_MS).length,
  }
}

/** Ends that speak against a body: those that it got beyond only where they are too many for chance. */
export function weightOf({ ends, lately }: Burden): number {
  return lately >= CRASHES_EVEN_SO ? Math.max(ends, lately) : ends
}

/** Whether that is more than chance explains. */
export function isOverdue({ crashes, ends, lately }: Burden): boolean {
  return crashes >= CRASHES || ends >= ENDS || lately >= CRASHES_EVEN_SO
}
