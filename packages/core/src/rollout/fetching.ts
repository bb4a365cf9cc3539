import { messageOf } from '../errors/index.js'

export interface FetchingOptions {
  readonly fetch: (options: { readonly signal: AbortSignal; readonly onProgress: (what: string) => void }) => Promise<void>
  /** How far it has come, for people. */
  readonly onProgress: (what: string) => void
  /** There is something new to be seen. */
  readonly onEnd: () => void
}

/** The weights of one rollout on their way; fetched once. */
export class Fetching {
  private isBegun = false
  private found: 'coming' | 'there' | { readonly failed: string } = 'coming'
  private readonly cancel = new AbortController()

  constructor(private readonly options: FetchingOptions) {}

  /** The first look begins it. */
  look(): 'coming' | 'there' | { readonly failed: string } {
    if (!this.isBegun) void this.run()
    return this.found
  }

  stop(): void {
    this.cancel.abort()
  }

  private async run(): Promise<void> {
    this.isBegun = true
    const { fetch, onProgress, onEnd } = this.options
    const { signal } = this.cancel
    try {
      await fetch({ signal, onProgress: (what) => void (signal.aborted || onProgress(what)) })
      this.found = 'there'
    } catch (error) {
      this.found = { failed: messageOf(error) }
    }
    onEnd()
  }
}
