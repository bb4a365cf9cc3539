/** How many nodes a group has, and why. */
export interface ScaleStatus {
  readonly pool: string
  readonly group: string
  /** Replicas that there are, starting ones too. */
  readonly replicas: number
  /** As many are wanted. */
  readonly wanted: number
  readonly min: number
  readonly max: number
  /** Null where nothing but people change it. */
  readonly follows: string | null
  /** Why so many are wanted, for people: `queue of 2.1 s over 1.0 s`. */
  readonly reason: string
  /** What goes wrong meanwhile, for people: a trigger that does not answer, a machine that could not be brought. Absent: nothing. */
  readonly problems?: readonly string[]
  /** When it changed last; epoch, null: never. */
  readonly changedAtMs: number | null
}
