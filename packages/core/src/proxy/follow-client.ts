import type { Exchange, UpstreamCall } from '../wire/index.js'

/** An answer on its way to a client. */
export interface Followed {
  readonly isOver: boolean
  /** The client has left; the call was ended. */
  left(): void
}

/** Ties a call to its client: goes on when the client can take more, ends when it leaves. The call exists only after dispatch; the client may have left before. */
export function followClient(exchange: Exchange, call: UpstreamCall, answer: Followed): void {
  if (answer.isOver) return call.abort()
  exchange.onDrain(() => {
    if (!answer.isOver) call.resume()
  })
  exchange.onGone(() => {
    if (answer.isOver) return
    call.abort()
    answer.left()
  })
}
