/** One replica, as far as it matters who goes. */
export interface Seat {
  readonly slot: number
  /** `lost`: nobody starts it again. */
  readonly state: 'ready' | 'coming' | 'lost'
  readonly inFlight: number
  /** Prompt tokens that it lately found in its cache: what conversations there would lose. */
  readonly warmTokens: number
  /** When it came into its state. */
  readonly sinceMs: number
}

/**
 * The numbers of the replicas that there shall be. Those that are lost go first, then those that do not serve yet, idle ones, those with few warm conversations,
 * and the newest; new ones take the lowest free numbers below `most`, those whose last node has not ended yet only where there are no others.
 */
export function chooseSlots(
  seats: readonly Seat[],
  wanted: number,
  most: number,
  ending: ReadonlySet<number> = new Set(),
): readonly number[] {
  const ordered = seats.toSorted(byWorth)
  const living = ordered.filter(({ state }) => state !== 'lost')
  const kept = living.slice(0, wanted).map(({ slot }) => slot)
  const taken = new Set(seats.map(({ slot }) => slot))
  const untaken = Array.from({ length: most }, (_, slot) => slot).filter((slot) => !taken.has(slot))
  const free = [...untaken.filter((slot) => !ending.has(slot)), ...untaken.filter((slot) => ending.has(slot))]
  return [...kept, ...free.slice(0, wanted - kept.length)].toSorted((one, other) => one - other)
}

/** Who stays rather comes first. */
function byWorth(one: Seat, other: Seat): number {
  return (
    rank(one) - rank(other) ||
    Number(other.inFlight > 0) - Number(one.inFlight > 0) ||
    warmth(other) - warmth(one) ||
    one.sinceMs - other.sinceMs ||
    one.slot - other.slot
  )
}

function rank({ state }: Seat): number {
  return ['ready', 'coming', 'lost'].indexOf(state)
}

/** Twice as much is more; less of a difference is chance. */
function warmth({ warmTokens }: Seat): number {
  return Math.floor(Math.log2(1 + warmTokens))
}
