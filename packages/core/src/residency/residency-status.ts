/** Whether a pool's engines are in memory. */
export interface ResidencyStatus {
  readonly pool: string
  /** `making-room`: others are put to rest for it. */
  readonly state: 'awake' | 'waking' | 'making-room' | 'going-to-rest' | 'resting'
  /** Epoch. */
  readonly sinceMs: number
  /** Requests that wait for it. */
  readonly waiting: number
  /** Times that it was woken. */
  readonly wakes: number
  /** For people. */
  readonly reason: string | null
}
