/** A listening socket, as many times as it was duplicated: a thread that dies takes its duplicate along. */
export interface SharedSocket {
  readonly fds: readonly number[]
  readonly url: string
}
