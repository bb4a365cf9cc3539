export interface PullProgress {
  readonly step: string
  readonly doneBytes?: number
  readonly totalBytes?: number
}

/** One model that an engine has on its disk or in memory. What it does not tell is left out. */
export interface KeptModel {
  /** As requests name it. */
  readonly name: string
  /** In memory right now. */
  readonly loaded?: boolean
  /** Of its files. */
  readonly sizeBytes?: number
  /** Of its content, `sha256:<hex>` where the engine tells one. */
  readonly contentHash?: string
  /** Longest prompt with its answer as it runs now; while it does not run, the most that it was made for. */
  readonly contextTokens?: number
  /** In memory, how much it takes there, and how much of that on accelerators. */
  readonly memoryBytes?: number
  readonly acceleratorBytes?: number
}

/** Models of an engine that can change them while it runs. */
export interface ModelKeeper {
  /** What it has, loaded or not; models that run elsewhere are none of its own. */
  readonly list?: (signal: AbortSignal) => Promise<readonly KeptModel[]>
  /** Fetches a model's files; resumable. Resolves with a hash of the content where the engine tells one. */
  readonly pull?: (
    model: string,
    options: { readonly signal: AbortSignal; readonly onProgress: (progress: PullProgress) => void },
  ) => Promise<{ readonly contentHash?: string }>
  /** Brings a model into memory; resolves when it would serve. */
  readonly load?: (model: string, signal: AbortSignal) => Promise<void>
  readonly unload?: (model: string, signal: AbortSignal) => Promise<void>
}
