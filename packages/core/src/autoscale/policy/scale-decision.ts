/** How many replicas there shall be, and why. */
export interface ScaleDecision {
  readonly wanted: number
  /** For people; never empty. */
  readonly reason: string
}
