import type { Logger } from './log.js'

/** What a plugin may use of its host; nothing else is promised. */
export interface PluginHost {
  readonly log: Logger
  /** GET with a hard size limit (4 MiB) and no redirects. Network failures throw; any HTTP status is a value. */
  get(url: string, options: RequestOptions): Promise<HostResponse>
  /** The same with a JSON body. */
  send(method: 'POST' | 'DELETE', url: string, options: RequestOptions & { readonly body?: unknown }): Promise<HostResponse>
  /** POST whose answer comes line by line (NDJSON, event streams), for work that takes long. Ends with the answer; throws for a status over 299 with its first 2 KiB. */
  lines(url: string, options: RequestOptions & { readonly body?: unknown }): AsyncIterable<string>
  /** Runs a command to its end without a shell; for versions and lists. Never throws for its exit code; output is cut at 1 MiB. */
  run(command: string, args: readonly string[], options: { readonly signal: AbortSignal }): Promise<CommandResult>
}

export interface RequestOptions {
  readonly signal: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

export interface CommandResult {
  /** Null when a signal ended it or it could not be started. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface HostResponse {
  readonly status: number
  readonly text: string
}
