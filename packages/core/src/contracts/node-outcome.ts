/** How one request fared at one node, as the judge of nodes needs to know it. Told once for each try, when it ended. */
export interface NodeOutcome {
  /** `pool/node`. */
  readonly node: string
  /** Its life: RosterNode.connectionKey. */
  readonly connectionKey: string
  /**
   * `served`: it answered, a client's error too. `refused`: 502, 503, 504 or what its dialect calls a death. `busy`: 429, and `loading`: its model is not there yet, which are no faults. `cut`: it broke
   * off after content. `hung`: lb gave up on it. Others as in AttemptRecord. A client that left tells nothing and is not told.
   */
  readonly kind: 'served' | 'connect-failed' | 'reset' | 'timeout' | 'refused' | 'busy' | 'loading' | 'cut' | 'hung'
  /** For people. */
  readonly reason?: string | undefined
}
