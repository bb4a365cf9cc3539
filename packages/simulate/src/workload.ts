/** A stretch of a prompt that other prompts may share: equal ids at equal places behind equal stretches are equal text. */
export interface PromptRun {
  /** Whole, 1 to 2^52. */
  readonly id: number
  /** At least 1. */
  readonly tokens: number
}

/** One request of a workload: numbers only. */
export interface WorkloadRequest {
  /** Due so long after the start; of a session's later requests, after the end of the one before. */
  readonly atMs: number
  /** The prompt, from its beginning. What nobody shares may be one run with an id of its own. */
  readonly prompt: readonly PromptRun[]
  readonly outputTokens: number
  /** The answer's own id, where a later prompt contains it. */
  readonly answerId?: number
  readonly session?: string
  /** Whose answers are alike in length. */
  readonly tenant?: string
  /** Sent `atMs` after the answer to this one is whole: the rest of the conversation. */
  readonly next?: WorkloadRequest
}

/** What clients do, in order of time: sessions start open-loop, and go on closed-loop. */
export interface Workload {
  readonly name: string
  /** In order of `atMs`. */
  readonly starts: Iterable<WorkloadRequest>
}
