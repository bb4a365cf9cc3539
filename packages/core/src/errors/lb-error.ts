/** Who has to act: the client that asked, the engine that answered, `lb` itself, or the operator of the topology. */
export type ErrorSource = 'client' | 'engine' | 'lb' | 'operator'

/** Whether the same request may be sent again, and when. */
export type RetryVerdict = 'never' | 'before-first-byte' | 'after-wait'

export interface LbErrorOptions {
  /** Stable, `LB_UPPER_SNAKE`; documented in docs/reference/errors.md. */
  readonly code: string
  readonly source: ErrorSource
  /** What a client sees; 0 where the error never reaches HTTP. */
  readonly httpStatus?: number
  readonly retry?: RetryVerdict
  readonly retryAfterMs?: number
  /** What to do next, one sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

const mark = Symbol.for('plimsoll.LbError')

/** Every failure that Plimsoll names: what, whose, what next. Recognised by a registered symbol, because a plugin brings its own copy of this class. */
export class LbError extends Error {
  readonly code: string
  readonly source: ErrorSource
  readonly httpStatus: number
  readonly retry: RetryVerdict
  readonly retryAfterMs: number | undefined
  readonly hint: string | undefined
  readonly [mark] = true

  constructor(message: string, options: LbErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LbError'
    this.code = options.code
    this.source = options.source
    this.httpStatus = options.httpStatus ?? 0
    this.retry = options.retry ?? 'never'
    this.retryAfterMs = options.retryAfterMs
    this.hint = options.hint
  }
}

/** True for an LbError of any copy of this package. */
export function isLbError(value: unknown): value is LbError {
  return typeof value === 'object' && value !== null && mark in value
}
