import type { Burden } from './death-book.js'
import type { Inquest } from './inquests.js'

/** A process that lb launched and that has not ended by then lives: nobody is led to a third node because the main thread was busy. */
const LATE_END_MS = 5_000
/** Until others can tell how a node went. */
const VERDICT_MS = 1_000
/** Until it is known who was there. */
export const HEARING_MS = 2_000

/** What is not known yet of the nodes that went away while they had a body. */
export interface OpenEnds {
  /** Of which it is not known yet how they ended, or what that means. */
  readonly open: number
  /** Of these, the ones of which it is not known how they ended. */
  readonly unknown: number
  /** Of these, our own ones; those where nobody has a request any more, as far as it is known; and those that have just broken. */
  readonly ours: number
  readonly dying: number
  readonly gathering: number
  /** Our own ones that ended, and not all have told who was there. */
  readonly unheard: number
  /** Until it is known. */
  readonly longestMs: number
}

export function openEnds(inquests: readonly Inquest[], isOurs: (inquest: Inquest) => boolean, nowMs: number): OpenEnds {
  const ends = { open: 0, unknown: 0, ours: 0, dying: 0, gathering: 0, unheard: 0, longestMs: VERDICT_MS }
  for (const inquest of inquests) {
    const own = isOurs(inquest)
    const isKnown = inquest.how !== undefined
    if (!isKnown && nowMs - inquest.openedAtMs >= (own ? LATE_END_MS : VERDICT_MS)) continue
    ends.open += 1
    if (own) ends.longestMs = LATE_END_MS
    else if (isKnown) ends.longestMs = Math.max(ends.longestMs, HEARING_MS)
    if (isKnown) {
      if (own) ends.unheard += 1
      continue
    }
    ends.unknown += 1
    if (inquest.isGathering === true) ends.gathering += 1
    if (!own) continue
    ends.ours += 1
    if (inquest.isEmpty ?? true) ends.dying += 1
  }
  return ends
}

/** As it would be if all that may have crashed had. */
export function withEnds({ crashes, ends, lately }: Burden, { unknown, ours }: OpenEnds): Burden {
  return { crashes: crashes + ours, ends: ends + unknown, lately: lately + ours }
}
