/** How far a pull is. */
export interface ModelProgress {
  readonly model: string
  readonly step: string
  readonly doneBytes?: number
  readonly totalBytes?: number
}

/** One model that is there now. */
export interface PulledModel {
  readonly model: string
  /** `engine`: the node's own server fetched it; `hub`: its files were fetched here. */
  readonly by: 'engine' | 'hub'
  readonly nodes: readonly string[]
  /** Later rollouts compare this. Null where an engine tells none. */
  readonly contentHash: string | null
  /** Of files from a hub: the commit that the revision meant, where they lie, their size, and how much of it had to be fetched. */
  readonly commit?: string
  readonly folder?: string
  readonly bytes?: number
  readonly fetchedBytes?: number
}

/** What `lb models pull --json` prints. */
export interface PullReport {
  readonly pulled: readonly PulledModel[]
  readonly failed: readonly {
    readonly model: string
    readonly nodes: readonly string[]
    readonly code: string
    readonly message: string
    readonly hint: string | null
  }[]
  readonly skipped: readonly SkippedNode[]
}

/** A node for which nothing is fetched, and why. */
export interface SkippedNode {
  readonly node: string
  readonly why: string
}
