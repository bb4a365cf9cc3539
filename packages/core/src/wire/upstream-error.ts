/** Where an upstream exchange broke. `connect`: no connection; `reset`/`closed`: it went away; `framing`: it spoke nonsense; `timeout`: it was silent; `abandoned`: lb gave up on its node; `unsent`: lb itself had no file descriptor for a connection. */
export type UpstreamErrorKind = 'connect' | 'unsent' | 'reset' | 'closed' | 'framing' | 'timeout' | 'abandoned'

export class UpstreamError extends Error {
  constructor(
    readonly kind: UpstreamErrorKind,
    message: string,
    /** What the engine said, for the log: clients are not shown its bytes. */
    readonly said = '',
  ) {
    super(message)
    this.name = 'UpstreamError'
  }
}
